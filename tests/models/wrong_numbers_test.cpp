// Weights of numbers and shapes that networks do not have.
#include "models/namings.h"

namespace sextant::models {
namespace {

TEST_F(Namings, OfWrongNumbersEndInOneLineThatNamesAKey) {
  const std::vector<std::pair<const char*, std::function<Tensor(const Tensor&)>>> spoilt = {
      {"holds Int where floating-point numbers were expected", [](const Tensor& x) { return x.to(at::kInt); }},
      {"holds Bool where floating-point numbers were expected", [](const Tensor& x) { return x > 0; }},
      {"has shape []", [](const Tensor& x) { return x.dim() == 1 ? x.sum() : x; }},
      {"has shape [0", [](const Tensor& x) { return x.slice(0, 0, 0); }},
      {"has shape [1, ", [](const Tensor& x) { return x.dim() > 1 ? x.unsqueeze(0) : x; }},
  };
  for (const json& config : {resnet(), adm(), edm()}) {
    for (const auto& [part, spoil] : spoilt) {
      StateDict weights;
      for (const auto& [name, values] : random_weights(config)) weights.set(name, spoil(values));
      checkpoint::save_safetensors(folder_ / "w.safetensors", weights);
      const std::string message = message_of<CheckpointError>([&] { open("w.safetensors", config); });
      EXPECT_NE(message.find("w.safetensors: key '"), std::string::npos) << message;
      EXPECT_NE(message.find(part), std::string::npos) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      EXPECT_NO_THROW(guess_architecture(weights)) << config;  // nor does a guess stumble
    }
  }
}

TEST_F(Namings, OfNumbersThatAreNoneAreNoSecondGroup) {
  StateDict weights = random_weights(resnet());
  weights.set("fc.bias", at::full({5}, NAN));
  checkpoint::save_safetensors(folder_ / "w.safetensors", prefixed("net.", weights));
  EXPECT_NO_THROW(open("w.safetensors", resnet()));
  EXPECT_EQ(taken_.group, "net");
}

TEST_F(Namings, OfOtherPrecisionsAndLayoutsComputeTheSame) {
  const StateDict weights = random_weights(resnet());
  const Tensor x = at::rand({2, 3, 16, 16}) * 2 - 1;
  const auto logits_of = [&](const std::function<Tensor(const Tensor&)>& stored) {
    StateDict changed;
    for (const auto& [name, values] : weights) changed.set(name, stored(values));
    checkpoint::save_safetensors(folder_ / "w.safetensors", changed);
    return dynamic_cast<const networks::ClassifierNetwork&>(*open("w.safetensors", resnet())).forward(x);
  };
  const Tensor expected = logits_of([](const Tensor& w) { return w; });
  EXPECT_TRUE(at::equal(logits_of([](const Tensor& w) { return w.to(at::kDouble); }), expected));
  EXPECT_TRUE(at::equal(
      logits_of([](const Tensor& w) { return w.dim() == 4 ? w.contiguous(at::MemoryFormat::ChannelsLast) : w; }),
      expected));
  EXPECT_TENSOR_NEAR(logits_of([](const Tensor& w) { return w.to(at::kHalf); }), expected,
                     (testing::Tolerance{2e-2, 2e-2}));
  EXPECT_TENSOR_NEAR(logits_of([](const Tensor& w) { return w.to(at::kBFloat16); }), expected,
                     (testing::Tolerance{1e-1, 1e-1}));
}

}  // namespace
}  // namespace sextant::models
