# On a machine with Python 3.11 and make: `make demo` or `make test`, nothing before them.
PYTHON ?= python3
BIN := .venv/bin
DEMO := outputs/demo
PRETRAINED := fetal_seg/models/pretrained/lite

.PHONY: help setup measure demo wheel test test-wheel lint bench reproduce reproduce-short

help:           ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: .venv/installed  ## install everything into .venv

.venv/installed: pyproject.toml setup.py constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train,dev,dicom,imagenet,onnx,openvino]'
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

wheel: setup $(PRETRAINED).onnx  ## build dist/fetal_seg-*.whl, which holds the pretrained weights, their export and conf/
	@rm -rf build
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .
	@rm -rf build; ls -l dist/*.whl

$(PRETRAINED).onnx: $(PRETRAINED).safetensors $(PRETRAINED).json fetal_seg/models/exporting.py fetal_seg/models/exported.py | setup
	$(BIN)/python export.py ckpt=pretrained format=onnx output=$@ data=phantom data.images=60 data.test_images=1

lint: setup     ## run ruff, mypy and import-linter
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

test: lint      ## run the linters, then the tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test-wheel: wheel  ## install the wheel into a fresh environment without PyTorch, and measure there
	FETAL_SEG_WHEEL="$$(ls -t $(CURDIR)/dist/fetal_seg-*.whl | head -1)" $(BIN)/python -m pytest tests/test_wheel.py

bench: setup    ## print the figures of docs/speed.md
	$(BIN)/python -m benchmarks.speed

reproduce: setup  ## train the pretrained weights again (HC18 in $HC18_ROOT or data/hc18), and compare their figures
	$(BIN)/python -m tools.reproduce

reproduce-short: setup  ## the same with a short training: at most 25 minutes on two cores
	$(BIN)/python -m tools.reproduce --short
