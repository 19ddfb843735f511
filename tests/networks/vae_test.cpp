// The autoencoder against diffusers' AutoencoderKL, run by PyTorch on the CPU (data/README.md).
#include <regex>

#include "networks/gradient.h"
#include "networks/made.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::networks {
namespace {

using testing::Golden;
using testing::Tolerance;

Golden small_vae() { return Golden(testing::source_dir() / "tests/networks/data/vae_small.safetensors"); }

std::string replaced(const std::string& text, const std::string& pattern, const std::string& by) {
  return std::regex_replace(text, std::regex(pattern), by);
}

/// The weights as current diffusers writes them.
checkpoint::StateDict current_names(const checkpoint::StateDict& weights) {
  checkpoint::StateDict renamed;
  for (const auto& [name, tensor] : weights) {
    std::string key = name;
    for (const char* letter : {"q", "k", "v"}) {
      const std::string old = letter[0] == 'q' ? "query" : letter[0] == 'k' ? "key" : "value";
      key = replaced(key, "\\." + old + "\\.", std::string(".to_") + letter + ".");
    }
    renamed.set(replaced(key, "\\.proj_attn\\.", ".to_out.0."), tensor);
  }
  return renamed;
}

/// The weights as they stand in a Stable Diffusion checkpoint of three resolutions, beside something else.
checkpoint::StateDict stable_diffusion_names(const checkpoint::StateDict& weights) {
  checkpoint::StateDict renamed;
  renamed.set("model.diffusion_model.out.2.bias", at::zeros({4}));
  for (const auto& [name, tensor] : current_names(weights)) {
    std::string key = replaced(name, "mid_block\\.resnets\\.0", "mid.block_1");
    key = replaced(key, "mid_block\\.resnets\\.1", "mid.block_2");
    key = replaced(key, "mid_block\\.attentions\\.0\\.group_norm", "mid.attn_1.norm");
    key = replaced(key, "mid_block\\.attentions\\.0\\.to_out\\.0", "mid.attn_1.proj_out");
    key = replaced(key, "mid_block\\.attentions\\.0\\.to_([qkv])", "mid.attn_1.$1");
    key = replaced(key, "(down|up)_blocks\\.(\\d)\\.resnets", "$1.$2.block");
    key = replaced(key, "(down|up)_blocks\\.(\\d)\\.(down|up)samplers\\.0", "$1.$2.$3sample");
    key = replaced(key, "conv_shortcut", "nin_shortcut");
    key = replaced(key, "conv_norm_out", "norm_out");
    if (key.rfind("decoder.up.0", 0) == 0) {
      key[11] = '2';
    } else if (key.rfind("decoder.up.2", 0) == 0) {
      key[11] = '0';
    }
    const bool convolution = tensor.dim() == 2 && key.find("attn_1") != std::string::npos;
    renamed.set("first_stage_model." + key, convolution ? tensor.unsqueeze(2).unsqueeze(3) : tensor);
  }
  return renamed;
}

void expect_reference(const Autoencoder& vae, const Golden& golden, at::ScalarType type) {
  const std::string prefix = type == at::kDouble ? "output64/" : "output/";
  const Tensor x = golden["input/x"].to(type);
  const Tensor z = golden["input/z"].to(type);
  const auto compare = [&](const std::string& name, const Tensor& actual) {
    const Tensor& expected = golden[prefix + name];
    const Tolerance tolerance =
        type == at::kDouble ? Tolerance{testing::float64_tolerance(expected), 0} : golden.output_tolerance(name);
    EXPECT_TRUE(testing::tensor_near(actual, expected, tolerance)) << name;
  };
  compare("mean", vae.encode(x).mean);
  compare("log_var", vae.encode(x).log_var);
  compare("decoded", vae.decode(z));
  const auto encoded = [&](const Tensor& at) {
    const auto latent = vae.encode(at);
    return (at::cat({latent.mean, latent.log_var}, 1) * golden["input/v_encode"].to(type)).sum();
  };
  const auto decoded = [&](const Tensor& at) { return (vae.decode(at) * golden["input/v_decode"].to(type)).sum(); };
  compare("grad_encode", testing::gradient(encoded, x));
  compare("grad_decode", testing::gradient(decoded, z));
}

TEST(Vae, EncodesAndDecodesAsTheReferenceDoes) {
  const Golden golden = small_vae();
  const auto vae = made<Autoencoder>("vae", golden.config());
  vae->load(golden.weights());
  expect_reference(*vae, golden, at::kFloat);
}

TEST(Vae, AgreesWithTheReferenceToRoundingInFloat64) {
  const Golden golden = small_vae();
  const auto vae = made<Autoencoder>("vae", golden.config());
  vae->load(golden.weights());
  vae->to(testing::test_device(), at::kDouble);
  expect_reference(*vae, golden, at::kDouble);
}

TEST(Vae, EncodesAndDecodesTheSameWithFrozenWeights) {
  const Golden golden = small_vae();
  const auto vae = made<Autoencoder>("vae", golden.config());
  vae->load(golden.weights());
  vae->freeze();
  expect_reference(*vae, golden, at::kFloat);
}

TEST(Vae, LoadsEveryPublishedLayout) {
  const Golden golden = small_vae();
  for (const auto& layout : {current_names, stable_diffusion_names}) {
    const auto vae = made<Autoencoder>("vae", golden.config());
    vae->load(layout(golden.weights()));
    EXPECT_TENSOR_NEAR(vae->decode(golden["input/z"]), golden["output/decoded"], golden.output_tolerance("decoded"));
  }
}

TEST(Vae, SaysWhichSizesItTakes) {
  const auto vae = made<Autoencoder>("vae", small_vae().config());
  EXPECT_EQ(testing::message_of<ShapeError>([&] {
              vae->encode(at::zeros({1, 3, 16, 18}));
            }),
            "vae: expected images [B, 3, H, W] with H and W multiples of 4, got [1, 3, 16, 18]");
}

TEST(Vae, RefusesWidthsThatNoNetworkHas) {
  const std::vector<std::pair<std::vector<int64_t>, std::string>> cases = {
      {std::vector<int64_t>(70, 32), "vae: block_out_channels needs 1 to 16 widths"},
      {{}, "vae: block_out_channels needs 1 to 16 widths"},
      {{32, 0}, "vae: norm_num_groups 32 does not divide block_out_channels 0"},
      {{-32}, "vae: norm_num_groups 32 does not divide block_out_channels -32"}};
  for (const auto& [widths, expected] : cases) {
    const nlohmann::json model = {{"block_out_channels", widths}, {"norm_num_groups", 32}};
    EXPECT_EQ(testing::message_of<CheckpointError>([&, &widths = widths] { made<Autoencoder>("vae", model); }),
              expected);
  }
}

TEST(Vae, RefusesLatentsThatAreMovedByChannel) {
  nlohmann::json model = small_vae().config();
  model["latents_mean"] = model["latents_std"] = nullptr;  // as Stable Diffusion's config.json
  EXPECT_NO_THROW(made<Autoencoder>("vae", model));
  for (const char* key : {"latents_mean", "latents_std"}) {
    nlohmann::json moved = model;
    moved[key] = {0.5, 1.5, 0.25, 2};
    EXPECT_EQ(testing::message_of<CheckpointError>([&] { made<Autoencoder>("vae", moved); }),
              "vae: '" + std::string(key) + "', which moves every channel of the latents, is not supported");
  }
}

TEST(VaePresets, HaveAsManyNumbersAsStableDiffusions) {
  for (const Preset& preset : family("vae").presets()) {
    const auto vae = made<Autoencoder>("vae", preset.config["model"]);
    EXPECT_EQ(vae->parameters().count(), 83653863) << preset.name;
    EXPECT_EQ(vae->factor(), 8);
    EXPECT_EQ(vae->latent_channels(), 4);
  }
}

}  // namespace
}  // namespace sextant::networks
