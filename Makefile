# The commands of everyday work. Each says what it needs when that is missing.
# Nothing here is needed to use Foretick: `cargo build --release` alone builds it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
FORETICK := $(TARGET)/release/foretick

# Of the programs that a recipe starts, Python's ONNX Runtime too would report to its maker.
export ORT_DISABLE_TELEMETRY ?= 1

# The library's path, which every recipe that runs a model asks for; fetched on first use.
WITH_MODELS = lib=$$(deploy/onnxruntime.sh) && export ORT_DYLIB_PATH="$$lib" &&

.PHONY: help demo build test docs miri lint bench train evaluate onnxruntime clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: onnxruntime build ## simulated market, news, firms, loans in, signals out: needs no exchange and no Kafka
	@$(WITH_MODELS) exec $(FORETICK) demo

build: ## the binary, target/release/foretick
	cargo build --release --locked

test: ## all tests; starts a real Kafka where Java 17 and Maven are (tests/run.sh tells more)
	@tests/run.sh

docs: onnxruntime ## write the reference pages of docs/ from the code, run the pages' commands, check their links
	@$(WITH_MODELS) FORETICK_BLESS=1 cargo test --release --locked --test docs

miri: ## the kernels' unsafe code under Miri, an interpreter that sees undefined behaviour (some minutes)
	@cargo +nightly miri --version >/dev/null 2>&1 || { echo "while starting Miri: it is not here. Install it:" \
		"rustup toolchain install nightly --component miri" >&2; exit 2; }
	MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test --locked --lib -- \
		kernel::tests recurrent::windows::tests::every_order recurrent::windows::tests::a_carried

lint: ## formatting and lints, every warning an error
	cargo fmt --check
	cargo clippy --release --locked --all-targets -- -D warnings

bench: onnxruntime ## the benchmarks of bench/
	@$(WITH_MODELS) cargo bench --locked --bench '*'

train: ## make a pipeline's model anew: make train PIPELINE=price-direction
	@test -f "pipelines/$(PIPELINE)/train/train.py" || { echo "while training: pipelines/$(PIPELINE)/train/train.py" \
		"is not there. Say which: make train PIPELINE=NAME, one of:" $$(cd pipelines && ls -d */train */*/train | \
		sed s,/train,,) >&2; exit 2; }
	@$(MAKE) --no-print-directory onnxruntime build
	python3 -m venv .venv/$(PIPELINE)
	.venv/$(PIPELINE)/bin/pip install --quiet --requirement pipelines/$(PIPELINE)/train/requirements.txt
	@$(WITH_MODELS) FORETICK=$(abspath $(FORETICK)) .venv/$(PIPELINE)/bin/python pipelines/$(PIPELINE)/train/train.py

evaluate: ## a model's figures on its test data, as JSON: make -s evaluate PIPELINE=loan-risk
	@test -f "pipelines/$(PIPELINE)/train/evaluate.sh" || { echo "while evaluating: say which: make evaluate" \
		"PIPELINE=NAME, one of:" $$(cd pipelines && ls -d */train/evaluate.sh */*/train/evaluate.sh | \
		sed s,/train/evaluate.sh,,) >&2; exit 2; }
	@$(MAKE) --no-print-directory onnxruntime $(if $(BUILT),,build) >&2
	@python3 -m venv .venv/evaluate
	@grep -hE '^(numpy|scikit-learn|pyarrow)==' pipelines/$(PIPELINE)/train/requirements.txt | \
		xargs .venv/evaluate/bin/pip install --quiet --disable-pip-version-check >&2
	@$(WITH_MODELS) export FORETICK_PRIVACY_KEY="$${FORETICK_PRIVACY_KEY:-only to join events and labels}" && \
		FORETICK=$(abspath $(FORETICK)) PYTHON=$(abspath .venv/evaluate/bin/python) \
		bash -euo pipefail pipelines/$(PIPELINE)/train/evaluate.sh

onnxruntime: ## fetch ONNX Runtime into .onnxruntime (ORT_DYLIB_PATH names another)
	@deploy/onnxruntime.sh >/dev/null

clean: ## remove everything that was built or fetched
	@tests/kafka.sh clean
	cargo clean
	rm -rf .onnxruntime .kafka .venv
