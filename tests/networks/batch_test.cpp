// What a network gives for an image depends on that image: not on how many others are computed with it, nor on the
// number of threads. Compared bit by bit, for every family, in float32 and in bfloat16.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <set>

#include "internal/runtime/libtorch.h"
#include "networks/classifier_golden.h"
#include "networks/made.h"
#include "support/fill.h"

namespace sextant::networks {
namespace {

using nlohmann::json;

struct Case {
  std::string name;
  std::string type;
  json model;
  std::vector<int64_t> image;  ///< [C, H, W]
  int64_t classes = 0;
  int64_t images = 16;
};

const json kAdm = {{"image_size", 16},       {"in_channels", 3},    {"model_channels", 32},
                   {"out_channels", 6},      {"num_res_blocks", 1}, {"attention_resolutions", {2}},
                   {"channel_mult", {1, 2}}, {"num_heads", 2},      {"use_scale_shift_norm", true}};

json with(json model, const json& changes) {
  if (!changes.is_null()) model.update(changes);  // {} is null
  return model;
}

json edm(const std::string& type, const std::string& precond, const json& changes) {
  return with({{"precond", precond},
               {"model_type", type},
               {"img_resolution", 16},
               {"img_channels", 3},
               {"label_dim", 10},
               {"model_channels", 32},
               {"channel_mult", {1, 2}},
               {"num_blocks", 1},
               {"attn_resolutions", {8}}},
              changes);
}

json resnet(const std::string& block, const json& changes) {
  return with({{"block", block}, {"layers", {1, 1, 1, 1}}, {"width", 16}, {"num_classes", 10}}, changes);
}

/// Odd sizes on purpose: whole vectors would hide what is done with the rest.
std::vector<Case> cases() {
  const json mnist = with(kAdm, {{"image_size", 28},
                                 {"in_channels", 1},
                                 {"out_channels", 2},
                                 {"attention_resolutions", {4}},
                                 {"channel_mult", {1, 1, 1}},
                                 {"num_classes", 11},
                                 {"resblock_updown", true}});
  const auto adm_classifier = [&](const std::string& pool, const json& changes) {
    json model = with(kAdm, {{"out_channels", 10}, {"num_head_channels", 16}, {"pool", pool}});
    model.erase("num_heads");
    return Case{"adm_classifier_" + pool, "adm-classifier", with(model, changes), {3, 16, 16}, 10};
  };
  const json clip = {{"embed_dim", 24},        {"image_resolution", 32},  {"vision_layers", 2},
                     {"vision_width", 64},     {"vision_patch_size", 8},  {"context_length", 16},
                     {"vocab_size", 256},      {"transformer_width", 64}, {"transformer_heads", 1},
                     {"transformer_layers", 1}};
  const json edm2 = {{"img_resolution", 8},     {"img_channels", 3},      {"label_dim", 10},
                     {"model_channels", 16},    {"channel_mult", {1, 2}}, {"num_blocks", 1},
                     {"attn_resolutions", {4}}, {"channels_per_head", 16}};
  return {
      {"adm", "adm-unet", with(kAdm, {{"num_classes", 10}}), {3, 16, 16}, 10},
      {"adm_mnist", "adm-unet", mnist, {1, 28, 28}, 11},
      {"adm_average_pools",
       "adm-unet",
       with(kAdm, {{"conv_resample", false}, {"use_scale_shift_norm", false}}),
       {3, 32, 32}},
      adm_classifier("adaptive", {}),
      adm_classifier("attention", {{"resblock_updown", true}}),
      adm_classifier("spatial", {}),
      adm_classifier("spatial_v2", {}),
      {"dit",
       "dit",
       {{"input_size", 8},
        {"patch_size", 2},
        {"in_channels", 4},
        {"hidden_size", 24},
        {"depth", 2},
        {"num_heads", 2},
        {"num_classes", 10}},
       {4, 8, 8},
       11},
      {"dit_more_tokens",
       "dit",
       {{"input_size", 24},
        {"patch_size", 2},
        {"in_channels", 4},
        {"hidden_size", 72},
        {"depth", 1},
        {"num_heads", 3},
        {"num_classes", 10}},
       {4, 24, 24},
       11},
      {"edm", "edm", edm("DhariwalUNet", "EDMPrecond", {}), {3, 16, 16}, 10},
      {"edm_iddpm", "edm", edm("DhariwalUNet", "iDDPMPrecond", {}), {3, 16, 16}, 10},
      {"edm_ve",
       "edm",
       edm("SongUNet", "VEPrecond",
           {{"embedding_type", "fourier"},
            {"encoder_type", "residual"},
            {"channel_mult_noise", 2},
            {"resample_filter", {1, 3, 3, 1}}}),
       {3, 16, 16},
       10},
      {"edm_vp", "edm", edm("SongUNet", "VPPrecond", {{"label_dim", 0}}), {3, 16, 16}},
      {"edm2", "edm2", edm2, {3, 8, 8}, 10},
      {"vae",
       "vae",
       {{"latent_channels", 4},
        {"block_out_channels", {16, 32}},
        {"layers_per_block", 1},
        {"norm_num_groups", 8},
        {"scaling_factor", 0.18215}},
       {3, 24, 24}},
      {"clip_vit", "clip", clip, {3, 32, 32}},
      {"clip_resnet",
       "clip",
       with(clip,
            {{"image_resolution", 64}, {"vision_layers", {1, 1, 1, 1}}, {"vision_width", 4}, {"vision_patch_size", 0}}),
       {3, 64, 64}},
      {"resnet",
       "resnet",
       resnet("BasicBlock", {{"stem_kernel", 3}, {"stem_stride", 1}, {"softplus_beta", 3}}),
       {3, 28, 28}},
      {"resnet_mnist",
       "resnet",
       resnet("BasicBlock", {{"in_channels", 1}, {"stem_kernel", 3}, {"stem_stride", 1}}),
       {1, 28, 28}},
      {"resnet_bottleneck", "resnet", resnet("Bottleneck", {{"width_per_group", 32}}), {3, 40, 40}},
      {"resnext",
       "resnet",
       resnet("Bottleneck", {{"groups", 4}, {"width_per_group", 8}, {"softplus_beta", 3}}),
       {3, 40, 40}},
      {"resnet_cifar", "cifar-resnet", {{"num_blocks", {1, 1, 1}}}, {3, 32, 32}},
      {"vit",
       "vit",
       {{"image_size", 32},
        {"patch_size", 8},
        {"num_layers", 2},
        {"num_heads", 2},
        {"hidden_dim", 24},
        {"mlp_dim", 56},
        {"num_classes", 10}},
       {3, 32, 32}},
      {"convnext",
       "convnext",
       {{"block_setting", {{16, 32, 1}, {32, nullptr, 1}}}, {"layer_scale", 1e-6}, {"num_classes", 10}},
       {3, 40, 40}},
      {"densenet",
       "densenet",
       {{"growth_rate", 8}, {"block_config", {2, 2}}, {"num_init_features", 16}, {"bn_size", 2}, {"num_classes", 10}},
       {3, 40, 40}},
      {"efficientnet",
       "efficientnet",
       {{"stages", {{0, 1, 3, 1, 16, 16, 1}, {0, 6, 5, 2, 16, 24, 1}}}, {"last_channels", 48}, {"num_classes", 10}},
       {3, 40, 40}},
      {"mnist_features", "mnist-features", json::object(), {1, 28, 28}},
      {"inception", "inception-fid", json::object(), {3, 32, 32}, 0, 3},
  };
}

void fill(Network& network) {
  checkpoint::StateDict weights;
  using Kind = Parameters::Kind;
  for (const auto& entry : network.parameters().entries()) {
    if (entry.kind == Kind::kConstant) continue;
    const bool counter = entry.kind == Kind::kCounter;
    // Of gains the rule's 0 would silence the network.
    weights.set(entry.name,
                entry.shape.empty() && !counter ? at::ones({}) : testing::filled(entry.name, entry.shape, {}, counter));
  }
  network.load(weights);
}

Tensor rows(const Tensor& all, int64_t first, int64_t count) {
  // As a batch lies in memory, with nothing around it.
  return all.narrow(0, first, count).clone();
}

class BatchOfImages : public ::testing::TestWithParam<std::tuple<Case, at::ScalarType>> {
 protected:
  BatchOfImages() : case_(std::get<0>(GetParam())), threads_(at::get_num_threads()) {
    network_ = family(case_.type).make(case_.model);
    fill(*network_);
    network_->freeze();
    network_->to(at::kCPU, std::get<1>(GetParam()));
    std::vector<int64_t> shape = {case_.images};
    shape.insert(shape.end(), case_.image.begin(), case_.image.end());
    x_ = testing::filled("images", shape, {"", std::sqrt(static_cast<double>(case_.image[0] * case_.image[1]))});
    y_ = at::arange(case_.images, at::kLong) * 7 % std::max<int64_t>(1, case_.classes);
    t_ = at::arange(case_.images, at::kLong) * 61 % 1000;
  }
  ~BatchOfImages() override { at::set_num_threads(threads_); }

  /// All that the network says of images first, ..., first + count - 1.
  std::map<std::string, Tensor> outputs(int64_t first, int64_t count) const {
    const Tensor x = rows(x_, first, count), y = rows(y_, first, count), t = rows(t_, first, count);
    const Tensor labels = case_.classes > 0 ? y : Tensor();
    const auto with_gradient = [&](const std::function<Tensor(const Tensor&)>& f) {
      const Tensor leaf = x.requires_grad_(true);
      const Tensor value = f(leaf);
      const Tensor direction = rows(testing::filled("direction", {case_.images, value.size(1)}, {}), first, count);
      return std::map<std::string, Tensor>{
          {"value", value.detach()},
          {"gradient", torch::autograd::grad({value}, {leaf}, {direction.to(value.scalar_type())})[0]}};
    };
    if (const auto* noise = dynamic_cast<const NoiseNetwork*>(network_.get())) {
      const at::NoGradGuard no_grad;
      return {{"noise", noise->forward(x, t, labels)}};
    }
    if (const auto* sigma = dynamic_cast<const EdmDenoiser*>(network_.get())) {
      const at::NoGradGuard no_grad;
      return {{"denoised", sigma->denoise(x, (t.to(at::kFloat) + 1) / 100, labels)}};
    }
    if (const auto* classifier = dynamic_cast<const ClassifierNetwork*>(network_.get())) {
      return with_gradient([&](const Tensor& leaf) { return classifier->forward(leaf, t); });
    }
    if (const auto* clip = dynamic_cast<const Clip*>(network_.get())) {
      return with_gradient([&](const Tensor& leaf) { return clip->image_features(leaf); });
    }
    if (const auto* features = dynamic_cast<const FeatureNetwork*>(network_.get())) {
      const at::NoGradGuard no_grad;
      return features->forward((x * 100 + 127).clamp(0, 255).to(at::kByte));
    }
    const auto& vae = dynamic_cast<const Autoencoder&>(*network_);
    const at::NoGradGuard no_grad;
    const Tensor mean = vae.encode(x).mean;
    return {{"mean", mean}, {"decoded", vae.decode(mean)}};
  }

  Case case_;
  int threads_;
  std::unique_ptr<Network> network_;
  Tensor x_, y_, t_;
};

TEST_P(BatchOfImages, ChangesNothingOfAnImage) {
  if (case_.name == "clip_resnet" && network_->compute_type() == at::kBFloat16) {
    GTEST_SKIP() << "CLIP's attention pool in bfloat16 goes through libtorch's products, whose sums follow the batch";
  }
  if (case_.type == "inception-fid") {
    GTEST_SKIP() << "Inception draws nothing, and its convolutions go through libtorch's, whose sums follow the batch: "
                    "its features move by a unit in the last place";
  }
  at::set_num_threads(1);
  std::vector<std::map<std::string, Tensor>> alone;
  for (int64_t i = 0; i < case_.images; ++i) alone.push_back(outputs(i, 1));
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    for (const int64_t batch : {int64_t{1}, int64_t{3}, int64_t{7}, int64_t{16}}) {
      if (batch > case_.images) continue;
      const int64_t first = case_.images - batch;
      for (const auto& [name, values] : outputs(first, batch)) {
        // libtorch 2 cuts operations with gradients at other places, by threads: docs/scale.md.
        if (SEXTANT_TORCH_AT_LEAST(2, 0) && name == "gradient" && threads > 1) continue;
        for (int64_t i = 0; i < batch; ++i) {
          const Tensor& expected = alone[static_cast<std::size_t>(first + i)].at(name);
          ASSERT_TRUE(at::isfinite(expected).all().item<bool>());
          EXPECT_TRUE(at::equal(values.narrow(0, i, 1), expected))
              << name << " of image " << i << " of a batch of " << batch << ", " << threads
              << " threads: " << (values.narrow(0, i, 1) - expected).abs().max().item<double>() << " of "
              << expected.abs().max().item<double>();
          if (!at::equal(values.narrow(0, i, 1), expected)) break;
        }
      }
    }
  }
}

std::string case_name(const ::testing::TestParamInfo<BatchOfImages::ParamType>& info) {
  return std::get<0>(info.param).name + (std::get<1>(info.param) == at::kFloat ? "_fp32" : "_bf16");
}
INSTANTIATE_TEST_SUITE_P(Families, BatchOfImages,
                         ::testing::Combine(::testing::ValuesIn(cases()), ::testing::Values(at::kFloat, at::kBFloat16)),
                         case_name);

TEST(BatchOfImages, IsTriedWithEveryFamilyThatSextantComputesItself) {
  std::set<std::string> tried;
  for (const Case& one : cases()) tried.insert(one.type);
  for (const Family& family : families()) {
    EXPECT_TRUE(!family.make || tried.count(family.type)) << family.type;
  }
}

}  // namespace
}  // namespace sextant::networks
