# `make demo` and `make test` do all the set-up there is: they install what is missing, build and run.

# The folder that is built in.
BUILD ?= build
# Compilers and tests at a time.
JOBS ?= $(shell nproc)
# Which libtorch: auto (the active Python environment's, else the system's), system, python or a folder.
TORCH ?= auto
TORCH_DIR = -DTorch_DIR="$$(scripts/torch.sh "$(TORCH)" 2>/dev/null)"
# Whether with sextant's CUDA kernels: auto (where libtorch has CUDA and nvcc is here), on or off.
CUDA ?= auto
# Whether missing packages are installed: auto, or off where everything comes from conda or modules.
DEPENDENCIES ?= auto
export DEPENDENCIES

# How long `make fuzz` is at each reader.
SECONDS ?= 20

.PHONY: all dependencies check-dependencies python-dependencies configure build demo report site browser test \
  test-full-size test-long full-test asan fuzz tsan tidy format clean help

all: build ## builds everything: what `make` alone does

# torch.sh prints nothing for the system's libtorch.
dependencies: ## installs what a build needs and this system lacks
	@folder=$$(scripts/torch.sh "$(TORCH)") && TORCH=$${folder:+other} scripts/install-dependencies.sh

check-dependencies: ## installs clang-format and clang-tidy
	@scripts/install-dependencies.sh clang-format clang-tidy

python-dependencies: ## installs what the Python module and its tests need, without which they are left out: 30 MB
	@scripts/install-dependencies.sh python3-torch python3-pybind11 python3-dev python3-pytest python3-mypy

configure: dependencies ## prepares the build folder and says what is left out
	@kernels=$$(scripts/cuda.sh "$(TORCH)" "$(CUDA)") && \
	  cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release $(TORCH_DIR) $$kernels -Wno-dev

build: configure ## the same
	@cmake --build $(BUILD) --parallel $(JOBS)

demo: configure ## draws digits with every method and prints how well each did: out/demo; then a few pictures in colour
	@cmake --build $(BUILD) --parallel $(JOBS) --target sextant_cli
	@$(BUILD)/src/cli/sextant sweep recipes/demo.toml --out out/demo
	@$(BUILD)/src/cli/sextant sweep recipes/demo-cifar10.toml --out out/demo-cifar10 --count 20

report: configure ## one page of the results in docs/results, nothing is drawn: out/results.html
	@cmake --build $(BUILD) --parallel $(JOBS) --target sextant_cli
	@$(BUILD)/src/cli/sextant report docs/results --out out/results.html --title "sextant: results"

site: python-dependencies ## the documents and the API of both languages: build-site/index.html
	@scripts/install-dependencies.sh python3-sphinx python3-myst-parser furo python3-breathe doxygen
	@$(MAKE) --no-print-directory configure TORCH=system
	@cmake --build $(BUILD) --parallel $(JOBS) --target sextant_stubs
	@scripts/site.sh $(BUILD) build-site

test: build ## builds and runs the tests
	@ctest --test-dir $(BUILD) --parallel $(JOBS) --output-on-failure --no-tests=error --label-exclude full

test-full-size: build ## networks of the published sizes, with computed weights, which take 4 GiB of memory
	@ctest --test-dir $(BUILD) --output-on-failure --no-tests=error --tests-regex '^networks_full$$'

test-long: build ## test-full-size, jobs that are killed fifty times, packages that are built from nothing and installed
	@ctest --test-dir $(BUILD) --output-on-failure --no-tests=error --label-regex full

browser: ## installs chromium for the test that opens a report: too large for those that only build
	@scripts/install-dependencies.sh chromium

full-test: browser test test-long asan fuzz tsan ## all of the tests: minutes become an hour

asan: dependencies ## the tests under AddressSanitizer and UBSan, without the full-size networks
	@cmake --preset asan $(TORCH_DIR) -Wno-dev && cmake --build --preset asan && ctest --preset asan

fuzz: dependencies ## every reader of files gets what libFuzzer makes of good and bad ones, in the build of `make asan`
	@scripts/install-dependencies.sh libclang-rt-dev
	@cmake --preset asan $(TORCH_DIR) -Wno-dev && cmake --build --preset asan --target fuzz_files fuzz_settings
	@scripts/fuzz.sh $(SECONDS)

tsan: dependencies ## the modules that have threads and parallel loops, under ThreadSanitizer
	@scripts/install-dependencies.sh libomp-dev
	@cmake --preset tsan $(TORCH_DIR) -Wno-dev && cmake --build --preset tsan && ctest --preset tsan

format: ## clang-format over everything
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

tidy: dependencies check-dependencies ## clang-tidy over all of the library and the program
	@scripts/check.sh tidy 7200

clean: ## removes the build folders
	@rm -rf $(BUILD) build-asan build-debug build-bench build-cuda build-check build-tsan build-site build-site.work

help: ## this list
	@echo "make TARGET [NAME=VALUE ...]"; echo
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/  \1\t\2/p' Makefile | expand -t 24
	@echo
	@sed -n '/^# /{s/^# //;h;n;s/^\([A-Z]*\) ?= \(.*\)/  \1=\2\t/;T;s/=$$(shell nproc)/=N/;G;s/\n//;p}' Makefile | expand -t 24
