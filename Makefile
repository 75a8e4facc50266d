# On a machine with Python 3.11 and make: `make demo` or `make test`, nothing before them.
PYTHON ?= python3
BIN := .venv/bin
DEMO := outputs/demo

.PHONY: help setup measure demo test lint bench reproduce reproduce-short

help:           ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: .venv/installed  ## the virtual environment

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,dicom,imagenet]'
	@touch $@

measure: setup  ## INPUT=scan.png MM=0.12: measure an image, or a folder of them, with the network in the box
	$(BIN)/python predict.py input="$(INPUT)" $(if $(MM),pixel_size_mm=$(MM))

demo: setup     ## train, evaluate and predict on phantoms, a few minutes on two cores
	$(BIN)/python train.py experiment=demo data.root=$(DEMO)/phantoms hydra.run.dir=$(DEMO)
	$(BIN)/python evaluate.py ckpt=$(DEMO)/checkpoints/best.ckpt calibrate=true output=$(DEMO)/evaluate
	$(BIN)/python predict.py ckpt=$(DEMO)/checkpoints/best.ckpt input=$(DEMO)/phantoms/test_set.zip output=$(DEMO)/predict
	@echo; echo 'pictures:'; ls $(DEMO)/*.png $(DEMO)/evaluate/*.png $(DEMO)/predict/*.png
	@echo 'curves:   $(BIN)/tensorboard --logdir outputs'

lint: setup     ## ruff, mypy, and the layers
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

test: lint      ## lint, then the tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

bench: setup    ## what the README says about speed
	$(BIN)/python -m benchmarks.speed

reproduce: setup  ## train the network in the box again (HC18 in $HC18_ROOT or data/hc18), and compare its figures
	$(BIN)/python -m tools.reproduce

reproduce-short: setup  ## the same, shorter: at most 25 minutes on two cores
	$(BIN)/python -m tools.reproduce --short
