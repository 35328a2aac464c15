# `make help` lists what there is. Every target that compiles first installs missing system libraries.

SWIFT ?= swift
OUT ?= out/demo
DATA ?=
ARGS ?=
KILLS ?= 60
INPUTS ?= 1600000
SECONDS_EACH ?= 60
# The C kernels at full speed under debug Swift, so that the tests keep their assertions and still finish soon.
TEST_FLAGS ?= -Xcc -O2

.PHONY: help demo test test-traits bench bench-peers bench-distributed soak lint format examples consumer dependencies

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: dependencies ## Three seeds of EncodeNet on the digits, and their report (DATA=cifar10:DIR for one on others, OUT=out/demo, ARGS=more options)
	$(SWIFT) run -c release encodenet $(if $(DATA),run --data $(DATA),compare --preset quick) --out $(OUT) $(ARGS)

test: dependencies ## All tests (ARGS="--filter Layers" for some)
	$(SWIFT) test $(TEST_FLAGS) $(ARGS)

test-traits: ## Tests of Keras' files, which need the HDF5 library, and of several ranks, which need Open MPI
	Scripts/install-dependencies traits
	$(SWIFT) test --traits HDF5,MPI --scratch-path .build-traits $(TEST_FLAGS) --filter 'CheckpointsTests|RanksTests|DataParallelTests' $(ARGS)

bench: dependencies ## Rates of kernels and whole models (ARGS="--filter vgg16 --json FILE")
	$(SWIFT) run -c release --package-path Benchmarks Benchmarks $(ARGS)

bench-peers: dependencies ## The same work beside PyTorch and ONNX Runtime: out/peers.json, out/peers.md
	Scripts/bench-peers $(ARGS)

bench-distributed: ## Training on several ranks beside one and beside PyTorch (DATA=cifar10:DIR): out/distributed.md
	Scripts/bench-distributed $(DATA) $(ARGS)

soak: dependencies ## What takes long: runs killed, tests under sanitizers, readers fuzzed (KILLS=60 INPUTS=1600000 SECONDS_EACH=60)
	Scripts/kill-check $(KILLS)
	$(MAKE) --no-print-directory test-traits
	Scripts/rank-kill-check 30
	Scripts/sanitizer-check
	Scripts/elementary-check 101
	ASAN_OPTIONS=detect_leaks=0 $(SWIFT) run -c release --sanitize address -Xcc -fsanitize=undefined \
	  -Xcc -fsanitize-trap=undefined --scratch-path .build-address fuzz $(INPUTS)
	Scripts/fuzz-coverage $(SECONDS_EACH)

examples: dependencies ## Build and run every program of Examples/
	Scripts/examples-check

consumer: dependencies ## Use the package from another package, by version
	Scripts/consumer-check

lint: ## Check the format of every Swift file
	$(SWIFT) format lint --strict -r $(wildcard Sources Tests Examples Fuzz Benchmarks/Package.swift Benchmarks/Sources Package.swift)

format: ## Format every Swift file
	$(SWIFT) format -i -r $(wildcard Sources Tests Examples Fuzz Benchmarks/Package.swift Benchmarks/Sources Package.swift)

dependencies:
	@Scripts/install-dependencies
