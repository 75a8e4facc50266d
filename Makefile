# On a machine with Python 3.11 and make: `make demo` or `make test`, nothing before them.
PYTHON ?= python3
BIN := .venv/bin
DEMO := outputs/demo

.PHONY: help setup measure demo test lint bench reproduce reproduce-short

help:           ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: .venv/installed  ## install everything into .venv

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,dicom,imagenet,onnx,openvino,trackers]'
	@touch $@

measure: setup  ## INPUT=scan.png MM=0.12: measure an image, or a folder of them, with the pretrained weights
	$(BIN)/python predict.py input="$(INPUT)" $(if $(MM),pixel_size_mm=$(MM))

demo: setup     ## train, evaluate and predict on simulated images: a few minutes on two cores
	@rm -rf $(DEMO)/train
	$(BIN)/python train.py experiment=demo data.root=$(DEMO)/phantoms hydra.run.dir=$(DEMO)/train
	$(BIN)/python evaluate.py ckpt=$(DEMO)/train/checkpoints/best.ckpt calibrate=true output=$(DEMO)/evaluate
	$(BIN)/python predict.py ckpt=$(DEMO)/train/checkpoints/best.ckpt input=$(DEMO)/phantoms/test_set.zip output=$(DEMO)/predict
	@echo; echo 'pictures:'; ls $(DEMO)/*/*.png $(DEMO)/*/*.jpg
	@echo 'curves:   $(BIN)/tensorboard --logdir outputs'

lint: setup     ## run ruff, mypy and import-linter
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

test: lint      ## run the linters, then the tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

bench: setup    ## print the figures of docs/speed.md
	$(BIN)/python -m benchmarks.speed

reproduce: setup  ## train the pretrained weights again (HC18 in $HC18_ROOT or data/hc18), and compare their figures
	$(BIN)/python -m tools.reproduce

reproduce-short: setup  ## the same with a short training: at most 25 minutes on two cores
	$(BIN)/python -m tools.reproduce --short
