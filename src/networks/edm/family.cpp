// The networks that Karras et al. 2022 (EDM) published, and the baselines that they compare with.
#include "internal/networks/family.h"

#include "edm/preconditioning.h"

namespace sextant::networks::edm {
namespace {

using nlohmann::json;

/// DDPM++ for "vp", NCSN++ for "ve".
json song(const std::string& kind, int64_t resolution, std::vector<int64_t> mult, int64_t label_dim,
          int64_t augment_dim, const std::string& precond) {
  const bool vp = kind == "vp";
  return {{"precond", precond},
          {"model_type", "SongUNet"},
          {"img_resolution", resolution},
          {"img_channels", 3},
          {"label_dim", label_dim},
          {"augment_dim", augment_dim},
          {"model_channels", 128},
          {"channel_mult", std::move(mult)},
          {"embedding_type", vp ? "positional" : "fourier"},
          {"channel_mult_noise", vp ? 1 : 2},
          {"encoder_type", vp ? "standard" : "residual"},
          {"decoder_type", "standard"},
          {"resample_filter", vp ? std::vector<double>{1, 1} : std::vector<double>{1, 3, 3, 1}}};
}

json adm_config(const std::string& precond) {
  return {{"precond", precond}, {"model_type", "DhariwalUNet"}, {"img_resolution", 64},        {"img_channels", 3},
          {"label_dim", 1000},  {"model_channels", 192},        {"channel_mult", {1, 2, 3, 4}}};
}

std::vector<Preset> presets() {
  std::vector<Preset> presets;
  const auto add = [&](const std::string& name, json model) {
    presets.push_back({name, {{"type", "edm"}, {"model", std::move(model)}}});
  };
  for (const std::string kind : {"vp", "ve"}) {
    add("edm-cifar10-32x32-cond-" + kind, song(kind, 32, {2, 2, 2}, 10, 9, "EDMPrecond"));
    add("edm-cifar10-32x32-uncond-" + kind, song(kind, 32, {2, 2, 2}, 0, 9, "EDMPrecond"));
    add("edm-ffhq-64x64-uncond-" + kind, song(kind, 64, {1, 2, 2, 2}, 0, 9, "EDMPrecond"));
    add("edm-afhqv2-64x64-uncond-" + kind, song(kind, 64, {1, 2, 2, 2}, 0, 9, "EDMPrecond"));
    add("baseline-cifar10-32x32-uncond-" + kind,
        song(kind, 32, {2, 2, 2}, 0, 0, kind == "vp" ? "VPPrecond" : "VEPrecond"));
  }
  add("edm-imagenet-64x64-cond-adm", adm_config("EDMPrecond"));
  add("baseline-imagenet-64x64-cond-adm", adm_config("iDDPMPrecond"));
  return presets;
}

}  // namespace

Family family() { return {.type = "edm", .role = Role::kSigma, .make = make, .presets = presets}; }

}  // namespace sextant::networks::edm
