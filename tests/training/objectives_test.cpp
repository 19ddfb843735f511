#include "sextant/diffusion/denoiser.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"
#include "training/tiny_training.h"
#include "weights.h"

namespace sextant::testing {
namespace {

using namespace training;

struct Gradients {
  Numbers numbers;
  Tensor flat;
};

class Objectives : public ::testing::Test {
 protected:
  Objectives()
      : images_(std::make_shared<TrainingImages>(
            TrainingImages::Source{tiny_images(folder_ / "set.npz"), data::Split::kTrain, {}}, 1, 8, 3)),
        batch_(images_->batch(0, 12)) {}

  Gradients classified(ClassificationConfig config, double scale = 1) {
    const auto network = tiny_network(kTinyClassifier);
    Weights weights(*network, at::kFloat);
    Classification objective(network, kTinyClassifier, config, images_);
    const Numbers numbers = objective.backward(batch_, scale);
    return {numbers, weights.take_gradient(1 / scale)};
  }

  Gradients denoised(DenoisingConfig config, const nlohmann::json& model = kTinyDenoiser, double scale = 1) {
    const auto network = tiny_network(model);
    Weights weights(*network, at::kFloat);
    // New ADMs predict zero, whatever they see; weights further along do not.
    weights.master().add_(Noise(1, {0}, {weights.size()}).normal(0)[0], 0.05);
    config.process = models::process_config(model.at("diffusion"));
    config.null_label = model.value("null_label", -1);
    const auto objective = denoising(std::dynamic_pointer_cast<networks::NoiseNetwork>(network), config, {}, nullptr);
    const Numbers numbers = objective->backward(batch_, scale);
    return {numbers, weights.take_gradient(1 / scale)};
  }

  TemporaryFolder folder_;
  std::shared_ptr<TrainingImages> images_;
  Batch batch_;
};

TEST_F(Objectives, ClassifiersLearnCrossEntropyPlusLambdaSmoothEce) {
  const Gradients plain = classified({}), with = classified({.lambda = 2});
  EXPECT_NEAR(number(plain.numbers, "loss"), number(plain.numbers, "cross_entropy"), 1e-6);
  EXPECT_NEAR(number(with.numbers, "loss"),
              number(with.numbers, "cross_entropy") + 2 * number(with.numbers, "smooth_ece"), 1e-6);
  EXPECT_GT((with.flat - plain.flat).norm().item<double>(), 1e-3);
  // The two parts of the gradient add up.
  EXPECT_TENSOR_NEAR(classified({.lambda = 1}).flat, (plain.flat + with.flat) / 2, (Tolerance{1e-6, 1e-4}));
}

TEST_F(Objectives, ClassifiersAreTrainedAsTheirCalibrationRescalesThem) {
  const auto network = tiny_network(kTinyClassifier);
  const auto of = [&](const nlohmann::json& calibration) {
    nlohmann::json config = kTinyClassifier;
    if (!calibration.is_null()) config["calibration"] = calibration;
    return logits_function(network, config)(data::to_pixels(batch_.images, at::kCPU), Tensor());
  };
  const Tensor f = of({});
  EXPECT_TENSOR_NEAR(of({{"temperature", 2}}), f / 2, (Tolerance{1e-6, 1e-6}));
  EXPECT_TENSOR_NEAR(of({{"scale", {1, 2, 3}}, {"shift", {0, 1, 0}}}),
                     f * at::tensor({1.0F, 2.0F, 3.0F}) + at::tensor({0.0F, 1.0F, 0.0F}), (Tolerance{1e-6, 1e-6}));
  EXPECT_THROW(of({{"scale", {1, 2}}, {"shift", {0, 1}}}), CheckpointError);
}

TEST_F(Objectives, ScalingTheLossChangesNoGradient) {
  EXPECT_TENSOR_NEAR(classified({}, 1024).flat, classified({}).flat, (Tolerance{1e-7, 1e-5}));
  EXPECT_TENSOR_NEAR(denoised({}, kTinyDenoiser, 1024).flat, denoised({}).flat, (Tolerance{1e-6, 1e-4}));
}

TEST_F(Objectives, AreTheSameForTheSameSeedAlone) {
  EXPECT_TRUE(denoised({.seed = 4}).flat.equal(denoised({.seed = 4}).flat));
  EXPECT_FALSE(denoised({.seed = 4}).flat.equal(denoised({.seed = 5}).flat));
}

TEST_F(Objectives, DroppedLabelsAreTheNullLabel) {
  // With every label dropped the table's other rows get no gradient; with none, the null label's row.
  const auto rows = [&](double share) {
    const auto network = tiny_network(kTinyDenoiser);
    Weights weights(*network, at::kFloat);
    weights.master().add_(Noise(1, {0}, {weights.size()}).normal(0)[0], 0.05);
    DenoisingConfig config;
    config.process = models::process_config(kTinyDenoiser.at("diffusion"));
    config.null_label = 3;
    config.label_dropout = share;
    denoising(std::dynamic_pointer_cast<networks::NoiseNetwork>(network), config, {}, nullptr)->backward(batch_, 1);
    for (const auto& entry : network->parameters().entries()) {
      if (entry.name == "label_emb.weight") return entry.tensor.grad().abs().sum(1);
    }
    return Tensor();
  };
  const Tensor all = rows(1), none = rows(0);
  EXPECT_EQ(all.narrow(0, 0, 3).max().item<double>(), 0);
  EXPECT_GT(all[3].item<double>(), 0);
  EXPECT_GT(none.narrow(0, 0, 3).min().item<double>(), 0);
  EXPECT_EQ(none[3].item<double>(), 0);
}

TEST_F(Objectives, LabelDropoutNeedsANullLabel) {
  nlohmann::json model = kTinyDenoiser;
  model.erase("null_label");
  EXPECT_THROW(denoised({.label_dropout = 0.1}, model), UsageError);
}

TEST_F(Objectives, RefuseSettingsOutOfTheirRanges) {
  EXPECT_THROW(denoised({.mse_weight = 0.5}), UsageError);
  EXPECT_THROW(denoised({.label_dropout = 1.5}), UsageError);
  const auto network = tiny_network(kTinyClassifier);
  EXPECT_THROW(Classification(network, kTinyClassifier, {.lambda = -1}, nullptr), UsageError);
  EXPECT_THROW(Classification(network, kTinyClassifier, {.beta = 0}, nullptr), UsageError);
  EXPECT_NO_THROW(Classification(network, kTinyClassifier, {.lambda = 1000, .beta = 1}, nullptr));
}

TEST_F(Objectives, PredictWhatTheProcessSays) {
  std::vector<double> losses;
  for (const char* predict : {"epsilon", "x0", "v"}) {
    nlohmann::json model = kTinyDenoiser;
    model["diffusion"]["predict"] = predict;
    losses.push_back(number(denoised({}, model).numbers, "mse"));
    EXPECT_GT(losses.back(), 0);
  }
  EXPECT_NE(losses[0], losses[1]);
  EXPECT_NE(losses[1], losses[2]);
}

TEST_F(Objectives, WeighTheSquaredErrorByTheInverseSignalToNoiseRatio) {
  const Gradients plain = denoised({}), weighted = denoised({.mse_weight = 5});
  EXPECT_EQ(number(plain.numbers, "mse"), number(weighted.numbers, "mse"));
  EXPECT_GT(number(weighted.numbers, "loss"), number(plain.numbers, "loss"));
  EXPECT_LT(number(weighted.numbers, "loss"), 5 * number(plain.numbers, "loss"));
}

TEST_F(Objectives, ClassifiersAreMeasuredWithTheWeightsGiven) {
  const auto network = tiny_network(kTinyClassifier);
  Weights weights(*network, at::kFloat);
  std::vector<Tensor> buffers;
  for (const auto& [name, tensor] : weights.buffers()) buffers.push_back(tensor);
  const checkpoint::StateDict first = weights.state(weights.master(), buffers);
  Classification objective(network, kTinyClassifier, {}, images_);
  const double before = objective.measure(first, *images_).nll;
  weights.master().mul_(0.5);
  EXPECT_EQ(objective.measure(first, *images_).nll, before);
  EXPECT_NE(objective.measure(weights.state(weights.master(), buffers), *images_).nll, before);
}

TEST(Velocity, IsARotationOfImageAndNoise) {
  diffusion::ProcessConfig config;
  config.schedule = diffusion::BetaSchedule::kCosine;
  config.steps = 50;
  config.mean = diffusion::MeanType::kVelocity;
  const diffusion::Process process(config);
  const Tensor x0 = at::linspace(-1, 1, 24, at::kDouble).view({2, 3, 2, 2}), noise = (5 * x0).sin();
  const Tensor t = at::tensor({3, 40}, at::kLong);
  const Tensor x_t = process.q_sample(x0, t, noise), v = process.velocity(x0, t, noise);
  EXPECT_TENSOR_NEAR(process.x0_from_velocity(x_t, t, v), x0, (Tolerance{1e-12, 0}));
  EXPECT_TENSOR_NEAR(x_t.square() + v.square(), x0.square() + noise.square(), (Tolerance{1e-12, 0}));
  const Tensor output = at::cat({v, at::zeros_like(v)}, 1);
  EXPECT_TENSOR_NEAR(process.p_mean_variance(output, x_t, t, false).x0, x0, (Tolerance{1e-12, 0}));
}

}  // namespace
}  // namespace sextant::testing
