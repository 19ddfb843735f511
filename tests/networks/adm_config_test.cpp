// What configurations of guided-diffusion's networks may say, and what the networks made of them take.
#include "adm/config.h"
#include "networks/made.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::networks {
namespace {

using nlohmann::json;

json small_unet() {
  return {{"image_size", 16},      {"in_channels", 3},    {"model_channels", 32},
          {"out_channels", 3},     {"num_res_blocks", 1}, {"attention_resolutions", {2}},
          {"channel_mult", {1, 1}}};
}

json updated(json config, const json& changes) {
  config.update(changes);
  return config;
}

/// The message of the CheckpointError that making a network of this config throws.
std::string adm_refusal(const std::string& type, const json& config) {
  return testing::message_of<CheckpointError>([&] { made(type, config); });
}

TEST(AdmConfig, NamesWhatIsMissingUnknownOrUnusable) {
  json without = small_unet();
  without.erase("model_channels");
  EXPECT_NE(adm_refusal("adm-unet", without).find("'model_channels' is missing"), std::string::npos);
  const std::vector<std::pair<json, std::string>> cases = {
      {{{"num_head", 4}}, "Did you mean 'num_heads'?"},
      {{{"use_scale_shift_norm", 1}}, "'use_scale_shift_norm' has an unusable value 1"},
      {{{"num_res_blocks", 1.5}}, "'num_res_blocks' has an unusable value 1.5"},
      {{{"attention_resolutions", "16,8"}}, "'attention_resolutions' has an unusable value"},
      {{{"model_channels", 48}}, "multiple of 32"},
      {{{"channel_mult", json::array()}}, "channel_mult"},
      {{{"num_heads", 5}}, "num_heads 5"},
      {{{"num_head_channels", 24}}, "num_head_channels 24"},
      {{{"image_size", 15}}, "image_size 15"},
      {{{"num_res_blocks", 0}}, "num_res_blocks must be positive"},
      {{{"num_classes", -1}}, "num_classes"},
      {{{"dims", 3}}, "dims must be 2"},
      {{{"pool", "attention"}}, "unknown hyper-parameter 'pool'"},
  };
  for (const auto& [change, expected] : cases) {
    const std::string message = adm_refusal("adm-unet", updated(small_unet(), change));
    EXPECT_NE(message.find(expected), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
  EXPECT_NE(adm_refusal("adm-classifier", updated(small_unet(), {{"pool", "spatial_v3"}})).find("'spatial_v2'?"),
            std::string::npos);
  EXPECT_NE(adm_refusal("adm-classifier", updated(small_unet(), {{"pool", "attention"}})).find("num_head_channels"),
            std::string::npos);
}

TEST(AdmConfig, AcceptsArgumentsThatMatterInTrainingOnly) {
  EXPECT_EQ(
      adm_refusal(
          "adm-unet",
          updated(
              small_unet(),
              {{"dropout", 0.1}, {"use_checkpoint", true}, {"use_fp16", true}, {"dims", 2}, {"num_classes", nullptr}})),
      "");
}

TEST(AdmFlags, StandForTheArgumentsThatGuidedDiffusionMakesOfThem) {
  const json arguments =
      adm::unet_arguments({{"image_size", 256}, {"learn_sigma", true}, {"attention_resolutions", "32,16"}});
  EXPECT_EQ(arguments.at("attention_resolutions"), json({8, 16}));
  EXPECT_EQ(arguments.at("channel_mult"), json({1, 1, 2, 2, 4, 4}));
  EXPECT_EQ(arguments.at("out_channels"), 6);
  EXPECT_EQ(arguments.at("num_heads"), 4);
  EXPECT_FALSE(arguments.contains("num_classes"));
  const json own = adm::unet_arguments({{"image_size", 32}, {"channel_mult", "1,2"}, {"class_cond", true}});
  EXPECT_EQ(own.at("channel_mult"), json({1.0, 2.0}));
  EXPECT_EQ(own.at("num_classes"), 1000);
  EXPECT_EQ(
      adm::unet_arguments({{"image_size", 64}, {"attention_resolutions", "1e300,inf,0.5"}}).at("attention_resolutions"),
      json({0, 0, 64}))
      << "no level has so many pixels";
  EXPECT_THROW(adm::unet_arguments({{"image_size", 32}}), CheckpointError);
  EXPECT_THROW(adm::unet_arguments({{"image_sizes", 64}}), CheckpointError);
  EXPECT_THROW(adm::unet_arguments({{"attention_resolutions", "32,x"}}), CheckpointError);
  EXPECT_THROW(adm::encoder_arguments({{"image_size", 100}}), CheckpointError);
}

TEST(AdmFlags, TellTheProcess) {
  const json process = adm::process({{"noise_schedule", "cosine"}, {"learn_sigma", true}, {"predict_xstart", true}});
  EXPECT_EQ(process.at("steps"), 1000);
  EXPECT_EQ(process.at("noise_schedule"), "cosine");
  EXPECT_EQ(process.at("predict"), "x0");
  EXPECT_EQ(process.at("model_var_type"), "LEARNED_RANGE");
}

TEST(AdmPresets, HaveAsManyParametersAsThePublishedNetworks) {
  const std::map<std::string, int64_t> published = {{"adm64-cond", 295904454},
                                                    {"adm128-cond", 421529606},
                                                    {"adm256-cond", 553838086},
                                                    {"adm256-uncond", 552814086},
                                                    {"adm512-cond", 558997638},
                                                    {"adm512-uncond-finetuned", 557973638},
                                                    {"adm-lsun-bedroom", 552814086},
                                                    {"adm-lsun-cat", 552814086},
                                                    {"adm-lsun-horse", 552814086},
                                                    {"adm64-classifier", 65438568},
                                                    {"adm128-classifier", 42568040},
                                                    {"adm256-classifier", 54096360},
                                                    {"adm512-classifier", 54448360},
                                                    {"adm-upsampler-64-256", 311795910},
                                                    {"adm-upsampler-128-512", 308835270},
                                                    {"adm-lsun-horse-nodropout", 552814086}};
  std::vector<Preset> presets = family("adm-unet").presets();
  for (const Preset& preset : family("adm-classifier").presets()) presets.push_back(preset);
  EXPECT_EQ(presets.size(), published.size());
  for (const Preset& preset : presets) {
    const auto network = made(preset.config.at("type"), preset.config.at("model"));
    EXPECT_EQ(network->parameters().count(), published.at(preset.name)) << preset.name;
  }
}

class SmallAdm : public ::testing::Test {
 protected:
  static std::unique_ptr<NoiseNetwork> network(const json& changes) {
    auto network = made<NoiseNetwork>("adm-unet", updated(small_unet(), changes));
    checkpoint::StateDict weights;
    at::manual_seed(1);
    for (const auto& entry : network->parameters().entries()) weights.set(entry.name, 0.1 * at::randn(entry.shape));
    network->load(weights);
    return network;
  }
};

TEST_F(SmallAdm, RefusesInputsThatDoNotFit) {
  const auto unconditional = network(json::object());
  const auto conditional = network({{"num_classes", 4}});
  const Tensor x = testing::randn({2, 3, 16, 16});
  const Tensor t = testing::zeros({2}).to(at::kLong);
  EXPECT_THROW(unconditional->forward(at::randn({2, 1, 16, 16}), t, {}), ShapeError);
  EXPECT_THROW(unconditional->forward(at::randn({2, 3, 15, 16}), t, {}), ShapeError);
  EXPECT_THROW(unconditional->forward(x, at::zeros({3}, at::kLong), {}), ShapeError);
  EXPECT_THROW(unconditional->forward(x, t, t), ShapeError);
  EXPECT_THROW(conditional->forward(x, t, {}), ShapeError);
  EXPECT_THROW(conditional->forward(x, t, at::zeros({1}, at::kLong)), ShapeError);
}

TEST_F(SmallAdm, TakesImagesOfOtherSizesThanItsOwn) {
  const auto net = network(json::object());
  net->freeze();
  const Tensor t = testing::zeros({1}).to(at::kLong);
  EXPECT_EQ(net->forward(testing::randn({1, 3, 24, 8}), t, {}).sizes(), at::IntArrayRef({1, 3, 24, 8}));
}

}  // namespace
}  // namespace sextant::networks
