# `make demo` and `make test` do all the set-up there is: they install what is missing, build and run.
BUILD ?= build
JOBS ?= $(shell nproc)
# Which libtorch: auto (the active Python environment's, else the system's), system, python or a folder.
TORCH ?= auto
TORCH_DIR = -DTorch_DIR="$$(scripts/torch.sh "$(TORCH)" 2>/dev/null)"
# Whether with sextant's CUDA kernels: auto (where libtorch has CUDA and nvcc is here), on or off.
CUDA ?= auto
# Whether missing packages are installed: auto, or off where everything comes from conda or modules.
DEPENDENCIES ?= auto
export DEPENDENCIES

# Of each reader, for `make fuzz`.
SECONDS ?= 20

.PHONY: all dependencies check-dependencies python-dependencies configure build demo report site browser test \
  test-full-size test-long full-test asan fuzz tsan tidy format clean

all: build

# torch.sh prints nothing for the system's libtorch.
dependencies:
	@folder=$$(scripts/torch.sh "$(TORCH)") && TORCH=$${folder:+other} scripts/install-dependencies.sh

check-dependencies:
	@scripts/install-dependencies.sh clang-format clang-tidy

# For the Python module and its tests, which a build without them leaves out: 30 MB to download.
python-dependencies:
	@scripts/install-dependencies.sh python3-torch python3-pybind11 python3-dev python3-pytest python3-mypy

configure: dependencies
	@kernels=$$(scripts/cuda.sh "$(TORCH)" "$(CUDA)") && \
	  cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release $(TORCH_DIR) $$kernels -Wno-dev

build: configure
	@cmake --build $(BUILD) --parallel $(JOBS)

# Draws digits with every method and prints how well each did: out/demo/. Then a few pictures in colour.
demo: configure
	@cmake --build $(BUILD) --parallel $(JOBS) --target sextant_cli
	@$(BUILD)/src/cli/sextant sweep recipes/demo.toml --out out/demo
	@$(BUILD)/src/cli/sextant sweep recipes/demo-cifar10.toml --out out/demo-cifar10 --count 20

# One page of the results in docs/results, from what is committed there: nothing is drawn.
report: configure
	@cmake --build $(BUILD) --parallel $(JOBS) --target sextant_cli
	@$(BUILD)/src/cli/sextant report docs/results --out out/results.html --title "sextant: results"

# The documents and the API of both languages as a site: build-site/index.html.
site: python-dependencies
	@scripts/install-dependencies.sh python3-sphinx python3-myst-parser furo python3-breathe doxygen
	@$(MAKE) --no-print-directory configure TORCH=system
	@cmake --build $(BUILD) --parallel $(JOBS) --target sextant_stubs
	@scripts/site.sh $(BUILD) build-site

test: build
	@ctest --test-dir $(BUILD) --parallel $(JOBS) --output-on-failure --no-tests=error --label-exclude full

# Networks of the published sizes, with computed weights, which take 4 GiB of memory.
test-full-size: build
	@ctest --test-dir $(BUILD) --output-on-failure --no-tests=error --tests-regex '^networks_full$$'

# These, jobs that are killed fifty times, and packages that are built from nothing and installed.
test-long: build
	@ctest --test-dir $(BUILD) --output-on-failure --no-tests=error --label-regex full

# For the test that opens a report: too large for those that only build.
browser:
	@scripts/install-dependencies.sh chromium

# Everything: minutes become an hour.
full-test: browser test test-long asan fuzz tsan

# The tests again under AddressSanitizer and UBSan, without the full-size networks.
asan: dependencies
	@cmake --preset asan $(TORCH_DIR) -Wno-dev && cmake --build --preset asan && ctest --preset asan

# Every reader of files gets what libFuzzer makes of good and bad ones, in the build of `make asan`.
fuzz: dependencies
	@scripts/install-dependencies.sh libclang-rt-dev
	@cmake --preset asan $(TORCH_DIR) -Wno-dev && cmake --build --preset asan --target fuzz_files fuzz_settings
	@scripts/fuzz.sh $(SECONDS)

# The modules that have threads of their own, under ThreadSanitizer.
tsan: dependencies
	@cmake --preset tsan $(TORCH_DIR) -Wno-dev && cmake --build --preset tsan && ctest --preset tsan

format:
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

# clang-tidy over all of the library and the program.
tidy: dependencies check-dependencies
	@scripts/check.sh tidy 7200

clean:
	@rm -rf $(BUILD) build-asan build-debug build-bench build-cuda build-check build-tsan build-site build-site.work
