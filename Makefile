# On a machine with Python 3.11 and make: `make demo` or `make test`, nothing before them.
PYTHON ?= python3
BIN := .venv/bin
DEMO := outputs/demo
PRETRAINED := fetal_seg/models/pretrained/lite
EXPORTED := dist/exported/lite.onnx
export CHROMIUM ?= $(shell command -v chromium || echo /usr/bin/chromium)

# What the page needs besides Python, each a command that prints the name of the Debian package where that is missing
NODE_IS_MISSING = node -e '[m, n] = process.versions.node.split("."); process.exit(m > 20 || (m == 20 && n > 18) ? 0 : 1)' \
                  2>/dev/null || echo "nodejs (20.19 or newer)";
NPM_IS_MISSING = command -v npm >/dev/null || echo npm;
CHROMIUM_IS_MISSING = command -v $(CHROMIUM) >/dev/null || echo chromium;
SLURM_IS_MISSING = PATH="$$PATH:/usr/sbin"; command -v slurmctld >/dev/null || echo slurm-wlm; \
                   command -v munged >/dev/null || echo munge;
require = missing=$$($(1)); [ -z "$$missing" ] || \
          { echo "$(or $(2),the page) needs what is missing here: "$$missing"; install it, in Debian by apt-get" >&2; exit 2; }

.PHONY: help setup measure demo docs figures wheel test test-wheel test-cluster lint page test-page page-picture page-tools page-test-tools bench reproduce reproduce-short

help:           ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: .venv/installed  ## install everything into .venv

.venv/installed: pyproject.toml setup.py constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train,dev,dicom,imagenet,onnx,openvino,parquet,trackers,postgresql,cmaes,slurm]'
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

wheel: setup $(EXPORTED)  ## build dist/fetal_seg-*.whl, which holds the pretrained weights, their export and conf/
	@rm -rf build
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .
	@rm -rf build; ls -l dist/*.whl

$(EXPORTED): $(PRETRAINED).safetensors $(PRETRAINED).json fetal_seg/models/exporting.py fetal_seg/models/exported.py | setup
	$(BIN)/python export.py ckpt=pretrained format=onnx output=$@ data=phantom data.images=60 data.test_images=1

docs: .venv/installed_docs  ## build the documentation into dist/docs
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -d dist/doctrees docs dist/docs
	@echo 'open dist/docs/index.html'

figures: setup  ## print every figure that a document quotes from a committed result; fails where they disagree
	$(BIN)/python -m tools.figures

.venv/installed_docs: .venv/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $@

lint: setup     ## run ruff, mypy and import-linter
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

test: lint      ## run the linters, then the tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test-wheel: wheel  ## install the wheel into a fresh environment without PyTorch, as the Dockerfile does too, and measure there
	FETAL_SEG_WHEEL="$$(ls -t $(CURDIR)/dist/fetal_seg-*.whl | head -1)" $(BIN)/python -m pytest tests/test_wheel.py tests/test_dockerfile.py

test-cluster: cluster-tools setup  ## test sweeps by a SLURM of one node, which is made on this machine
	FETAL_SEG_CLUSTER=1 $(BIN)/python -m pytest tests/cluster

page: page-tools setup web/generated/network.onnx web/node_modules/.package-lock.json  ## build dist/fetal-seg.html, the page that needs no server
	@$(BIN)/python -m tools.page_data web/generated --constants
	@npm run --silent --prefix web build

test-page: page-test-tools page  ## check and test the page: sources, measurement, and in Chromium
	npm run --silent --prefix web check
	PYTHON=$(abspath $(BIN)/python) npm run --silent --prefix web test
	FETAL_SEG_PAGE=1 $(BIN)/python -m pytest tests/web
	PYTHON=$(abspath $(BIN)/python) npm run --silent --prefix web test:page

page-picture: page-test-tools page  ## draw docs/page.png, a phantom in the page
	$(BIN)/python -m tools.page_picture docs/page.png

page-tools:
	@$(call require,$(NODE_IS_MISSING) $(NPM_IS_MISSING))

cluster-tools:
	@$(call require,$(SLURM_IS_MISSING),the cluster)

page-test-tools:
	@$(call require,$(NODE_IS_MISSING) $(NPM_IS_MISSING) $(CHROMIUM_IS_MISSING))

web/node_modules/.package-lock.json: web/package-lock.json
	npm ci --silent --prefix web
	@touch $@

web/generated/network.onnx: tools/page_data.py $(wildcard fetal_seg/models/pretrained/* fetal_seg/models/*.py) | setup
	$(BIN)/python -m tools.page_data web/generated

bench: setup    ## print the figures of docs/speed.md
	$(BIN)/python -m benchmarks.speed

reproduce: setup  ## train the pretrained weights again (HC18 in $HC18_ROOT or data/hc18), and compare their figures
	$(BIN)/python -m tools.reproduce

reproduce-short: setup  ## the same with a short training: at most 25 minutes on two cores
	$(BIN)/python -m tools.reproduce --short
