#include "weights.h"

#include "ema.h"
#include "sextant/runtime/error.h"
#include "training/tiny_training.h"

namespace sextant::testing {
namespace {

using namespace training;

Tensor forward(networks::Network& network, const Tensor& x) {
  return dynamic_cast<networks::ClassifierNetwork&>(network).forward(x);
}

Tensor entry(const networks::Network& network, const std::string& name) {
  for (const auto& entry : network.parameters().entries()) {
    if (entry.name == name) return entry.tensor;
  }
  return {};
}

TEST(TrainableNetwork, NormalisesByTheBatchAndMovesTheRunningStatistics) {
  const auto network = tiny_network(kTinyClassifier);
  const Tensor x = at::linspace(-2, 3, 4 * 6 * 6).view({4, 1, 6, 6});
  const Tensor logits = forward(*network, x);
  EXPECT_EQ(entry(*network, "bn1.num_batches_tracked").item<int64_t>(), 1);
  const Tensor conv = at::conv2d(x, entry(*network, "conv1.weight"), {}, 1, 1);
  EXPECT_TENSOR_NEAR(entry(*network, "bn1.running_mean"), 0.1 * conv.mean({0, 2, 3}), (Tolerance{1e-5, 0}));
  EXPECT_TENSOR_NEAR(entry(*network, "bn1.running_var"), 0.9 + 0.1 * conv.transpose(0, 1).flatten(1).var(1),
                     (Tolerance{1e-5, 0}));
  logits.sum().backward();
  for (const auto& e : network->parameters().entries()) {
    EXPECT_EQ(e.tensor.requires_grad(), e.tensor.grad().defined()) << e.name;
  }
}

TEST(TrainableNetwork, CannotBeMadeOfAFrozenOne) {
  const auto network = models::build(kTinyClassifier);
  initialise(*network, "resnet", 1);
  network->freeze();
  EXPECT_THROW(network->train(), Error);
}

TEST(Weights, AreOneVectorThatTheNetworkSees) {
  const auto network = tiny_network(kTinyClassifier);
  Weights weights(*network, at::kFloat);
  EXPECT_EQ(weights.size(), 8 * 9 + 2 * 8 * 8 * 9 + 3 * 16 + 3 * 8 + 3);
  const Tensor x = at::ones({2, 1, 6, 6}).cumsum(3);
  const Tensor before = forward(*network, x).detach();
  weights.master().zero_();
  EXPECT_TENSOR_NEAR(forward(*network, x), at::zeros_like(before), (Tolerance{1e-6, 0}));
  EXPECT_GT(before.abs().max().item<double>(), 1e-3);
}

TEST(Weights, KeepFloat32MastersOfAHalfPrecisionNetwork) {
  const auto network = tiny_network(kTinyClassifier);
  const Tensor exact = entry(*network, "fc.weight").detach().clone();
  Weights weights(*network, at::kHalf);
  Tensor rounded = entry(*network, "fc.weight");
  EXPECT_EQ(rounded.scalar_type(), at::kHalf);
  EXPECT_EQ(entry(*network, "bn1.weight").scalar_type(), at::kFloat);
  std::vector<Tensor> buffers;
  for (const auto& [name, tensor] : weights.buffers()) buffers.push_back(tensor);
  EXPECT_TRUE(weights.state(weights.master(), buffers).at("fc.weight").equal(exact));

  rounded.mutable_grad() = at::full_like(rounded, 3).detach();
  const Tensor gradient = weights.take_gradient(0.5);
  EXPECT_EQ(gradient.scalar_type(), at::kFloat);
  EXPECT_TRUE(weights.state(gradient, buffers).at("fc.weight").equal(at::full_like(exact, 1.5)));
  EXPECT_TRUE(weights.state(gradient, buffers).at("fc.bias").equal(at::zeros({3})));
  EXPECT_FALSE(rounded.grad().defined());

  weights.master().add_(1);
  weights.publish();
  EXPECT_TRUE(rounded.equal((exact + 1).to(at::kHalf)));
}

TEST(Average, FollowsTheWeightsWithAWarmUp) {
  const auto network = tiny_network(kTinyClassifier);
  Weights weights(*network, at::kFloat);
  Ema average(weights, 0.9);
  const Tensor start = weights.master().clone();
  weights.master().add_(1);
  average.update(weights);  // rate (1 + 1) / (10 + 1)
  EXPECT_TENSOR_NEAR(average.flat(), start + (1 - 2.0 / 11), (Tolerance{1e-6, 0}));
  average.update(weights);  // 3 / 12
  EXPECT_TENSOR_NEAR(average.flat(), start + 1 - 2.0 / 11 * 0.25, (Tolerance{1e-6, 0}));
}

TEST(Initialise, GivesTheSpreadOfTheAuthors) {
  const auto network = tiny_network(kTinyClassifier);
  const Tensor conv = entry(*network, "layer1.0.conv1.weight");
  EXPECT_NEAR(conv.std().item<double>(), std::sqrt(2.0 / (8 * 9)), 0.02);
  const Tensor fc = entry(*network, "fc.weight");
  EXPECT_LE(fc.abs().max().item<double>(), 1 / std::sqrt(8.0));
  EXPECT_TRUE(entry(*network, "bn1.weight").equal(at::ones({8})));
  const auto again = tiny_network(kTinyClassifier);
  EXPECT_TRUE(entry(*again, "fc.weight").equal(fc));
}

TEST(Initialise, StartsAdmBlocksAsTheirSkips) {
  const nlohmann::json config = {{"type", "adm-unet"},
                                 {"model",
                                  {{"image_size", 8},
                                   {"in_channels", 1},
                                   {"model_channels", 32},
                                   {"out_channels", 2},
                                   {"num_res_blocks", 1},
                                   {"attention_resolutions", {1}},
                                   {"channel_mult", {1}}}}};
  const auto network = models::build(config);
  initialise(*network, "adm-unet", 3);
  for (const char* zero :
       {"out.2.weight", "out.2.bias", "middle_block.1.proj_out.weight", "input_blocks.1.0.out_layers.3.weight"}) {
    EXPECT_EQ(entry(*network, zero).abs().max().item<double>(), 0) << zero;
  }
  EXPECT_GT(entry(*network, "input_blocks.0.0.weight").abs().max().item<double>(), 0.1);
}

TEST(Initialise, RefusesFamiliesWithoutARule) {
  const auto network = models::build(models::arch_config("vit_b_16"));
  EXPECT_THROW(initialise(*network, "vit", 0), UsageError);
}

}  // namespace
}  // namespace sextant::testing
