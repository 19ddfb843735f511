// What the tests of whole systems share: tiny models of every family, and settings that draw from them.
#pragma once

#include <utility>

#include "commands/filled_model.h"
#include "drawing/models.h"
#include "sextant/models/classifier.h"
#include "sextant/runtime/noise.h"

namespace sextant::testing {

using commands::open_models;
using commands::SampleConfig;
using commands::SamplingModels;

/// One folder of tiny models for the whole suite.
class Systems : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    write_model(*folder_ / "dit", tiny_dit());
    write_model(*folder_ / "dit-bad", tiny_dit(), "bad.");
    write_model(*folder_ / "adm", tiny_adm());
    write_model(*folder_ / "vae", tiny_vae());
    write_model(*folder_ / "vae3", tiny_vae(3));
    write_model(*folder_ / "edm", tiny_edm());
    write_model(*folder_ / "edm-bad", tiny_edm(), "bad.");
    write_model(*folder_ / "edm2", tiny_edm2());
    write_model(*folder_ / "edm2-bad", tiny_edm2(3, 0, 32), "bad.");
    write_model(*folder_ / "resnet", tiny_resnet());
    write_model(*folder_ / "latent-resnet", tiny_resnet(4));
    nlohmann::json latent = tiny_edm2(4);
    latent["latents"] = models::arch_config("edm2-img512-xs").at("latents");
    write_model(*folder_ / "edm2-latent", latent);
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }

  static std::string at(const std::string& name) { return (*folder_ / name).string(); }
  static std::filesystem::path out() { return *folder_ / "out"; }

  static SampleConfig latent_model(const std::string& classifier = "") {
    SampleConfig config;
    config.model.path = at("dit");
    config.model.vae = at("vae");
    config.sampler.steps = 2;
    if (!classifier.empty()) {
      config.classifier.path = at(classifier);
      config.guidance.guidance = "plain";
    }
    return config;
  }
  static SampleConfig edm_model(const std::string& model = "edm", bool guided = false) {
    SampleConfig config;
    config.model.path = at(model);
    config.sampler.sampler = samplers::sample_edm_heun;
    config.sampler.steps = 2;
    config.sample.rounding = diffusion::Rounding::kEdm;
    if (guided) {
      config.classifier.path = at("resnet");
      config.guidance.guidance = "plain";
    }
    return config;
  }
  static SampleConfig unguided(SampleConfig config) {
    config.guidance.guidance = "none";
    return config;
  }

  /// Standard normals of the shape that the sampler works on.
  static Tensor latents_of(const SamplingModels& models) {
    return Noise(4, {0, 1}, models.denoiser.sample_shape()).initial();
  }

 private:
  static inline TemporaryFolder* folder_ = nullptr;
};
inline double largest_difference(const Tensor& a, const Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

inline std::shared_ptr<const networks::Autoencoder> open_vae(const std::string& path) {
  return std::dynamic_pointer_cast<const networks::Autoencoder>(models::open_network(models::describe(path), {}));
}

}  // namespace sextant::testing
