# Everything a developer or CI runs. `make` lists it. Needs Debian 12 and root or sudo for missing packages.
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
unit = ctest --output-on-failure -j$(JOBS) -R '^(unit/|tidy)' --test-dir
sources = git ls-files -co --exclude-standard -- '*.cc' '*.h' '*.c'

help: ## list the targets
	@sed -n 's/^\([a-z ]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

build: ## release build in build/release (kafka-backup is there)
	@tools/install-deps.sh build
	@cmake --preset release >/dev/null
	@ninja -j$(JOBS) -C build/release

test: ## build, then unit tests, then tests against real Kafka brokers; installs what is missing
	@tools/install-deps.sh test
	@$(MAKE) --no-print-directory build
	@ctest --output-on-failure -j$(JOBS) --test-dir build/release

demo: ## a real Kafka: fill, back up, delete, restore, compare every record
	@tools/install-deps.sh test
	@$(MAKE) --no-print-directory build
	@tests/demo.sh

check: ## formatting, the rules of tools/tidy.py, clang-tidy over all but tests
	@tools/install-deps.sh check
	@$(sources) | xargs clang-format --dry-run -Werror
	@tools/tidy.py
	@cmake --preset release >/dev/null
	@$(sources) | grep '^src/.*\.cc$$' | grep -v _test | xargs -P$(JOBS) -n1 clang-tidy -p build/release --quiet 2>/dev/null

generate: build ## CRDs and reference pages from the code; plain manifests and the table of values from the chart
	@build/release/crdgen >deploy/crds/all.yaml
	@build/release/apidoc docs/reference
	@build/release/clidoc docs/reference/cli.md
	@build/release/metricsdoc >docs/reference/metrics.md
	@tools/packaging.py "$$(tests/support/kube/install.sh)/bin/helm"

format: ## reformat all C++ files
	@tools/install-deps.sh check
	@$(sources) | xargs clang-format -i

# Switching stacks, which the model test does, costs a hundred times more under a sanitizer. What has no threads has no races.
sanitized = tools/install-deps.sh sanitize && cmake --preset $@ >/dev/null && ninja -j$(JOBS) -C build/$@

asan: ## unit tests with AddressSanitizer and UBSan
	@$(sanitized) unit_tests
	@KB_MODEL_SEEDS=100 KB_SIM_TICKS=1000 KB_RETENTION_TRACES=50 $(unit) build/$@

threaded = base net kafka kube storage engine cli
tsan: ## unit tests of what has threads, with ThreadSanitizer
	@$(sanitized) $(threaded:%=%_test)
	@ctest --output-on-failure -j$(JOBS) -R "^unit/($$(echo $(threaded) | tr ' ' '|'))$$" --test-dir build/$@

coverage: ## lines that all tests execute, per folder; takes half an hour
	@tools/install-deps.sh check
	@cmake --preset coverage >/dev/null
	@ninja -j$(JOBS) -C build/coverage
	@find build/coverage -name '*.gcda' -delete
	@KB_MODEL_SEEDS=100 KB_SIM_TICKS=1000 KB_RETENTION_TRACES=50 $(unit) build/coverage >build/coverage/tests.log || { tail -40 build/coverage/tests.log; exit 1; }
	@KB_BUILD=build/coverage tests/run.sh >build/coverage/e2e.log || { tail -40 build/coverage/e2e.log; exit 1; }
	@tools/coverage.py build/coverage

fuzz: ## every fuzz target for FUZZ_SECONDS (60) each
	@tools/install-deps.sh check
	@cmake --preset fuzz >/dev/null
	@ninja -j$(JOBS) -C build/fuzz fuzz_targets
	@tools/fuzz.sh build/fuzz $(FUZZ_SECONDS)

torture: build ## kill -9 and SIGSTOP at many random instants, a hundred thousand seeds of each model; an hour
	@tests/torture.sh

bench: build ## CPU seconds per GB, wall time and memory beside other tools
	@bench/run.py
	@bench/continuous.py

clean: ## remove all builds; the compiler's cache and downloaded jars stay
	@rm -rf build

.PHONY: help build test demo check generate format asan tsan coverage fuzz torture bench clean
