// Inception-v3 (Szegedy et al. 2016) as the Frechet inception distance uses it.
#include "internal/networks/family.h"

#include "inception/network.h"

namespace sextant::networks::inception {
namespace {

std::vector<Preset> presets() {
  const auto preset = [](const char* name, const char* resize) {
    return Preset{name, {{"type", "inception-fid"}, {"classes", 1008}, {"model", {{"resize", resize}}}}};
  };
  return {preset("inception-fid", "tensorflow1"), preset("inception-pytorch-fid", "pytorch-fid")};
}

}  // namespace

Family family() {
  return {
      .type = "inception-fid", .role = Role::kFeatures, .make = make_from<Inception, read_config>, .presets = presets};
}

}  // namespace sextant::networks::inception
