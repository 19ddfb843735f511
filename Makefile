# `make demo` and `make test` do all the set-up there is: they install what is missing, build and run.
BUILD ?= build
JOBS ?= $(shell nproc)

.PHONY: all dependencies configure build demo test full-test asan tidy format clean

all: build

dependencies:
	@scripts/install-dependencies.sh

configure: dependencies
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release -Wno-dev

build: configure
	@cmake --build $(BUILD) --parallel $(JOBS)

# Draws digits with every method and prints how well each did: out/demo/.
demo: configure
	@cmake --build $(BUILD) --parallel $(JOBS) --target sextant_cli
	@$(BUILD)/src/cli/sextant sweep recipes/demo.toml --out out/demo

test: build
	@ctest --test-dir $(BUILD) --parallel $(JOBS) --output-on-failure --no-tests=error

# The tests again under AddressSanitizer and UBSan, without the full-size networks.
asan: dependencies
	@cmake --preset asan -Wno-dev && cmake --build --preset asan && ctest --preset asan

format:
	@git ls-files '*.h' '*.cpp' '*.cu' | xargs clang-format -i

tidy: configure
	@scripts/tidy.sh $(BUILD) $(JOBS)

clean:
	@rm -rf $(BUILD) build-asan build-debug build-bench build-cuda
