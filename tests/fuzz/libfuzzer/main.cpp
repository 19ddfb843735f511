// libFuzzer's entry points. The environment says what to do: SEXTANT_FUZZ_TARGET names the target;
// SEXTANT_FUZZ_SEEDS is a folder that gets first inputs; without a target they are listed with their longest inputs.
// The build says which table of targets and which function of seeds a program has.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "fuzz/libfuzzer/seeds.h"
#include "fuzz/targets.h"

using namespace sextant::fuzz;

namespace {

const sextant::fuzz::Target* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("SEXTANT_FUZZ_TARGET");
  if (name == nullptr) {
    if (const char* folder = std::getenv("SEXTANT_FUZZ_SEEDS")) SEXTANT_FUZZ_SEEDS(folder);
    for (const auto& target : SEXTANT_FUZZ_TARGETS()) std::cout << target.name << " " << target.longest << "\n";
    std::cout << std::flush;
    std::_Exit(0);  // without a word about edges
  }
  for (const sextant::fuzz::Target& target : SEXTANT_FUZZ_TARGETS()) {
    if (std::strcmp(name, target.name) == 0) chosen = &target;
  }
  if (chosen != nullptr) return 0;
  std::cerr << "no target is called '" << name << "'\n";
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  sextant::fuzz::try_input(*chosen, {reinterpret_cast<const char*>(data), size}, sextant::fuzz::scratch());
  return 0;
}
