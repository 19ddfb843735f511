// One training step of the original implementation: the loss and every parameter's gradient.
#include "internal/models/registry.h"
#include "samplers/tiny_models.h"
#include "sextant/calibration/calibration.h"
#include "sextant/diffusion/denoiser.h"
#include "support/fill.h"

namespace sextant::testing {
namespace {

using networks::Parameters;

/// The network of a golden file, opened for training in `type`.
std::unique_ptr<networks::Network> network_of(const Golden& golden, const std::string& family, at::ScalarType type) {
  auto network = models::build({{"type", family}, {"model", golden.config().at("model")}});
  network->load(golden.weights());
  network->to(at::kCPU, type);
  network->train();
  return network;
}

/// What the gradients were reduced to in float64: sum, sum of sizes, and product with fixed numbers.
Tensor probes(const Golden& golden, const std::string& name, const Tensor& gradient) {
  const Tensor g = gradient.to(at::kDouble).flatten();
  const FillRule rule{"probe/" + golden.name() + "/", 1, nlohmann::json::object()};
  const Tensor weights = filled(name + "@2d", {1, g.numel()}, rule).to(at::kDouble).flatten();
  return at::stack({g.sum(), g.abs().sum(), (g * weights).sum()});
}

void expect_gradients(const Golden& golden, const networks::Network& network, bool exact) {
  int64_t compared = 0;
  for (const auto& entry : network.parameters().entries()) {
    if (!entry.tensor.requires_grad()) continue;
    ++compared;
    ASSERT_TRUE(entry.tensor.grad().defined()) << entry.name;
    EXPECT_TENSOR_NEAR(entry.tensor.grad(), golden["output/gradient/" + entry.name],
                       golden.tolerance(exact ? "gradient64" : "gradient32"))
        << entry.name;
    if (!exact) continue;
    EXPECT_TENSOR_NEAR(probes(golden, entry.name, entry.tensor.grad()), golden["output/probe/" + entry.name],
                       golden.tolerance("probe"))
        << entry.name;
  }
  EXPECT_GT(compared, 20);
}

class TrainingStep : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TrainingStep);
INSTANTIATE_TEST_SUITE_P(Golden, TrainingStep, ::testing::ValuesIn(golden_files("math/training")), golden_name);

TEST_P(TrainingStep, HasTheReferencesLossAndGradients) {
  const Golden golden(GetParam());
  const bool denoises = golden.config().at("kind") == "adm_hybrid_loss";
  const diffusion::Process process(process_config(golden.config()));
  const Tensor t = golden["input/t"], y = golden["input/labels"];
  for (const auto& [run, type] : kPrecisions) {
    const auto network = network_of(golden, denoises ? "adm-unet" : "adm-classifier", type);
    const Tensor x0 = input(golden, "x0", type), noise = input(golden, "noise", type);
    const std::string prefix = std::string("output/") + run + "/";
    if (denoises) {
      const auto& unet = dynamic_cast<const networks::NoiseNetwork&>(*network);
      const diffusion::Model model = [&](const Tensor& x, const Tensor& at, const Tensor& labels) {
        return unet.forward(x, at, labels);
      };
      const auto loss =
          golden.config().at("loss_type") == "MSE" ? diffusion::Loss::kMse : diffusion::Loss::kRescaledMse;
      const diffusion::LossTerms terms = diffusion::training_loss(process, model, x0, t, y, noise, loss);
      EXPECT_TENSOR_NEAR(terms.loss, golden[prefix + "loss"], golden.tolerance(run)) << run;
      EXPECT_TENSOR_NEAR(terms.mse, golden[prefix + "mse"], golden.tolerance(run)) << run;
      EXPECT_TENSOR_NEAR(terms.vb, golden[prefix + "vb"], golden.tolerance(run)) << run;
      terms.loss.mean().backward();
    } else {
      const auto& classifier = dynamic_cast<const networks::ClassifierNetwork&>(*network);
      const Tensor logits = classifier.forward(process.q_sample(x0, t, noise), t);
      EXPECT_TENSOR_NEAR(logits, golden[prefix + "logits"], golden.tolerance(run)) << run;
      const calibration::Loss loss = calibration::cross_entropy_with_smooth_ece(logits.detach(), y, 0);
      EXPECT_TENSOR_NEAR(loss.value.view({1}), golden[prefix + "loss"], golden.tolerance(run)) << run;
      logits.backward(loss.gradient);
    }
    expect_gradients(golden, *network, type == at::kDouble);
  }
}

}  // namespace
}  // namespace sextant::testing
