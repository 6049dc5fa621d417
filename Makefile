# The commands of everyday work. Each names what it needs if that is missing.
# To use Foretick, `cargo build --release` is enough.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
FORETICK := $(TARGET)/release/foretick

# Keeps ONNX Runtime, also that of Python, from sending usage data to its maker.
export ORT_DISABLE_TELEMETRY ?= 1

# Sets the path of the ONNX Runtime library for a recipe that runs a model; fetches it on first use.
WITH_MODELS = lib=$$(deploy/onnxruntime.sh) && export ORT_DYLIB_PATH="$$lib" &&

# TLS and SCRAM for Kafka, where OpenSSL's headers are. All recipes build alike, so that nothing is built twice.
TLS = $(shell deploy/kafka-tls.sh)

.PHONY: help demo build test test-busy faults simulation docs fuzz miri lint bench train backtest evaluate onnxruntime clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: onnxruntime build ## signals from simulated markets, news, firms and loans: needs no exchange and no Kafka
	@$(WITH_MODELS) exec $(FORETICK) demo

build: ## the binary, target/release/foretick; with TLS for Kafka where OpenSSL's headers are
	cargo build --release --locked $(TLS)

test: ## all tests; starts a real Kafka if Java 17 and Maven are installed (see tests/run.sh)
	@tests/run.sh

test-busy: ## all tests, RUNS times (10), beside a program that takes one core
	@tests/busy.sh $(or $(RUNS),10)

faults: ## long runs with engines and brokers that are killed and paused, compared record by record (tests/faults)
	@tests/faults/run.sh $(PROFILES)

simulation: ## instances on simulated brokers, with seeded faults: make simulation SEEDS=0..100000
	FORETICK_SIMULATION_SEEDS=$(or $(SEEDS),0..100000) cargo test --release --locked $(TLS) --lib simulation -- --nocapture

docs: onnxruntime ## generate the reference pages of docs/ from the code, run the commands in the pages, check their links
	@$(WITH_MODELS) FORETICK_BLESS=1 cargo test --release --locked $(TLS) --test docs

fuzz: ## the fuzz targets of tests/fuzz, SECONDS (60) each; needs cargo-fuzz and the nightly compiler
	@tests/fuzz.sh $(or $(SECONDS),60)

miri: ## the kernels' unsafe code under Miri, an interpreter that detects undefined behaviour (some minutes)
	@cargo +nightly miri --version >/dev/null 2>&1 || { echo "while starting Miri: it is not installed. Install it:" \
		"rustup toolchain install nightly --component miri" >&2; exit 2; }
	MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test --locked --lib -- \
		kernel::tests recurrent::windows::tests::deferred_work_in_any_order recurrent::windows::tests::a_carried

lint: ## formatting, lints, links in the code's docs; a warning is an error
	cargo fmt --check
	cargo clippy --release --locked $(TLS) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --release --locked $(TLS) --no-deps --quiet

bench: onnxruntime ## the benchmarks of bench/
	@$(WITH_MODELS) cargo bench --locked $(TLS) --bench '*'

train: ## train the model of a pipeline: make train PIPELINE=price-direction
	@test -f "pipelines/$(PIPELINE)/train/train.py" || { echo "while training: pipelines/$(PIPELINE)/train/train.py" \
		"does not exist. Usage: make train PIPELINE=NAME, one of:" $$(cd pipelines && ls -d */train */*/train | \
		sed s,/train,,) >&2; exit 2; }
	@$(MAKE) --no-print-directory onnxruntime build
	python3 -m venv .venv/$(PIPELINE)
	.venv/$(PIPELINE)/bin/pip install --quiet --requirement pipelines/$(PIPELINE)/train/requirements.txt
	@$(WITH_MODELS) FORETICK=$(abspath $(FORETICK)) .venv/$(PIPELINE)/bin/python pipelines/$(PIPELINE)/train/train.py

backtest: ## what a model earns after costs, written to its card: make backtest PIPELINE=price-direction/ibm
	@test -f "pipelines/$(PIPELINE)/train/backtest.py" || { echo "while trading: pipelines/$(PIPELINE)/train/backtest.py" \
		"does not exist. Usage: make backtest PIPELINE=NAME, one of:" $$(cd pipelines && ls -d */train/backtest.py \
		*/*/train/backtest.py | sed s,/train/backtest.py,,) >&2; exit 2; }
	@$(MAKE) --no-print-directory onnxruntime $(if $(BUILT),,build)
	@python3 -m venv .venv/backtest
	@grep -hE '^(numpy|onnx|pyarrow)==' pipelines/$(PIPELINE)/train/requirements.txt | \
		xargs .venv/backtest/bin/pip install --quiet --disable-pip-version-check
	@$(WITH_MODELS) FORETICK=$(abspath $(FORETICK)) .venv/backtest/bin/python pipelines/$(PIPELINE)/train/backtest.py

evaluate: ## the figures of a model on its test data, as JSON: make -s evaluate PIPELINE=loan-risk
	@test -f "pipelines/$(PIPELINE)/train/evaluate.sh" || { echo "while evaluating: the pipeline is missing or unknown. Usage: make evaluate" \
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

clean: ## remove what was built or fetched
	@tests/kafka.sh clean
	cargo clean
	rm -rf .onnxruntime .kafka .venv
