// The bundled MNIST models do what their config.json says, on 200 test images, 20 of each digit.
#include <torch/csrc/autograd/autograd.h>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/models/classifier.h"
#include "sextant/models/denoiser.h"
#include "support/golden.h"

namespace sextant::models {
namespace {

std::filesystem::path bundled(const std::string& name) { return testing::source_dir() / "models" / name; }

class BundledModels : public ::testing::Test {
 protected:
  BundledModels() {
    const auto arrays = checkpoint::load_npz(testing::source_dir() / "tests/models/data/mnist_test_200.npz");
    bytes_ = arrays.at("arr_0").unsqueeze(1);
    labels_ = arrays.at("arr_1");
    pixels_ = bytes_.to(at::kFloat) / 127.5 - 1;
  }

  /// Right answers among the 200.
  int64_t right(const Tensor& logits) const { return (logits.argmax(1) == labels_).sum().item<int64_t>(); }

  Tensor bytes_;   ///< [200, 1, 28, 28] uint8
  Tensor pixels_;  ///< in [-1, 1]
  Tensor labels_;
};

TEST_F(BundledModels, ClassifierKnowsItsDigits) {
  for (const double beta : {0.0, 5.0}) {
    const auto classifier =
        open_classifier({.path = bundled("mnist-classifier"), .softplus_beta = beta}, {}, {.channels = 1});
    EXPECT_GE(right(classifier.logits(pixels_, {})), 198) << "softplus beta " << beta;
  }
}

TEST_F(BundledModels, OverconfidentClassifierIsWorseAndSurer) {
  const Tensor good = open_classifier({.path = bundled("mnist-classifier")}, {}).logits(pixels_, {});
  const Tensor sure = open_classifier({.path = bundled("mnist-classifier-overconfident")}, {}).logits(pixels_, {});
  EXPECT_GE(right(sure), 185);
  EXPECT_LT(right(sure), right(good));
  const auto nll = [&](const Tensor& logits) { return at::cross_entropy_loss(logits, labels_).item<double>(); };
  EXPECT_GT(nll(sure), 2 * nll(good));
}

TEST_F(BundledModels, ClassifierComputesInBfloat16) {
  const auto exact = open_classifier({.path = bundled("mnist-classifier")}, {});
  const auto rounded = open_classifier({.path = bundled("mnist-classifier")}, {at::kCPU, at::kBFloat16});
  EXPECT_EQ(rounded.logits(pixels_, {}).scalar_type(), at::kFloat);
  EXPECT_LE(std::abs(right(rounded.logits(pixels_, {})) - right(exact.logits(pixels_, {}))), 2);
}

TEST_F(BundledModels, ClassifierGradientClimbsTheTargetClass) {
  const auto classifier = open_classifier({.path = bundled("mnist-classifier")}, {});
  const Tensor target = (labels_ + 1) % 10;
  const auto log_prob = [&](const Tensor& x) {
    return at::log_softmax(classifier.logits(x, {}), 1).gather(1, target.unsqueeze(1)).squeeze(1);
  };
  const Tensor x = pixels_.clone().requires_grad_();
  const Tensor gradient = torch::autograd::grad({log_prob(x).sum()}, {x})[0];
  const Tensor climbed = pixels_ + 0.01 * gradient / gradient.flatten(1).norm(2, 1).view({-1, 1, 1, 1});
  EXPECT_TRUE((log_prob(climbed) > log_prob(pixels_)).to(at::kFloat).mean().item<float>() > 0.95F);
}

TEST_F(BundledModels, NoisyClassifierKnowsCleanAndNoisedDigits) {
  const auto classifier = open_classifier({.path = bundled("mnist-noisy-classifier")}, {});
  ASSERT_TRUE(classifier.uses_time);
  const diffusion::Process process(process_config(describe(bundled("mnist-noisy-classifier")).config.at("diffusion")));
  at::manual_seed(1);
  const Tensor noise = at::randn(pixels_.sizes());
  const auto accuracy_at = [&](int64_t t) {
    return right(classifier.logits(process.q_sample(pixels_, t, noise), at::full({200}, t, at::kLong)));
  };
  EXPECT_GE(accuracy_at(0), 195);
  EXPECT_GE(accuracy_at(500), 184);
  EXPECT_LT(accuracy_at(900), 90);
}

TEST_F(BundledModels, FeatureNetworkKnowsItsDigitsAndTheReferenceStatistics) {
  const auto network = open_features(bundled("mnist-features"), "", {});
  const auto features = network->forward(bytes_);
  EXPECT_GE(right(features.at("logits")), 198);
  const auto reference = checkpoint::load_npz(bundled("mnist-features") / "reference_train.npz");
  const Tensor& mu = reference.at("mu");
  const Tensor pool = features.at("pool").to(at::kDouble);
  ASSERT_EQ(pool.sizes(), (std::vector<int64_t>{200, mu.size(0)}));
  // The mean of 200 images lies where 200 draws of the reference distribution would put it.
  const Tensor deviation = (reference.at("sigma").diagonal() / 200).sqrt();
  EXPECT_LT(((pool.mean(0) - mu).abs() / (deviation + 1e-3)).mean().item<double>(), 2);
}

TEST_F(BundledModels, DiffusionModelPredictsTheNoise) {
  const DiffusionModel model = open_diffusion(bundled("mnist-adm"), "", {});
  EXPECT_EQ(model.classes, 10);
  EXPECT_EQ(model.null_label, 10);
  EXPECT_EQ(model.sample_shape, (std::vector<int64_t>{1, 28, 28}));
  const diffusion::Process process(model.process());
  at::manual_seed(1);
  const Tensor images = pixels_.slice(0, 0, {}, 10), labels = labels_.slice(0, 0, {}, 10);
  const Tensor noise = at::randn(images.sizes());
  const int64_t step = 500;
  const Tensor x = process.q_sample(images, step, noise);
  const Tensor epsilon = model.function(x, process.model_time(step, x), labels).narrow(1, 0, 1);
  EXPECT_LT((epsilon - noise).square().mean().item<double>(), 0.05);
}

}  // namespace
}  // namespace sextant::models
