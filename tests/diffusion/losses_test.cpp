#include "samplers/tiny_models.h"
#include "sextant/diffusion/denoiser.h"

namespace sextant::testing {
namespace {

using diffusion::Loss;

Loss loss_type(const std::string& name) {
  if (name == "MSE") return Loss::kMse;
  if (name == "RESCALED_MSE") return Loss::kRescaledMse;
  return name == "KL" ? Loss::kKl : Loss::kRescaledKl;
}

class TrainingLoss : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TrainingLoss);
INSTANTIATE_TEST_SUITE_P(Golden, TrainingLoss, ::testing::ValuesIn(golden_files("math/samplers", "training_loss_")),
                         golden_name);

TEST_P(TrainingLoss, HasTheReferencesTerms) {
  const Golden golden(GetParam());
  const diffusion::Process process(process_config(golden.config()));
  for (const auto& [run, type] : kPrecisions) {
    const diffusion::LossTerms terms = diffusion::training_loss(
        process, tiny_model(golden, type), input(golden, "x0", type), golden["input/t"], golden["input/labels"],
        input(golden, "noise", type), loss_type(golden.config().at("loss_type")));
    const std::string prefix = std::string("output/") + run + "/";
    EXPECT_TENSOR_NEAR(terms.loss, golden[prefix + "loss"], golden.tolerance(run)) << run;
    EXPECT_EQ(terms.mse.defined(), golden.has(prefix + "mse"));
    EXPECT_EQ(terms.vb.defined(), golden.has(prefix + "vb"));
    if (terms.mse.defined()) {
      EXPECT_TENSOR_NEAR(terms.mse, golden[prefix + "mse"], golden.tolerance(run)) << run;
    }
    if (terms.vb.defined()) {
      EXPECT_TENSOR_NEAR(terms.vb, golden[prefix + "vb"], golden.tolerance(run)) << run;
    }
  }
}

TEST(TrainingLoss, TeachesTheMeanByTheSquaredErrorAlone) {
  // The bound's gradient reaches the variance channels only: those of the mean get 2 (prediction - noise) / size.
  const diffusion::Process process({});
  const Tensor noise = at::linspace(-2, 2, 24, at::kDouble).view({2, 3, 2, 2});
  const Tensor x0 = (3 * noise).sin();
  Tensor output = at::cat({0.5 * noise, 0.1 * x0}, 1).requires_grad_(true);
  const diffusion::Model model = [&](const Tensor&, const Tensor&, const Tensor&) { return output; };
  const Tensor steps = at::tensor({0, 500}, at::kLong);
  diffusion::training_loss(process, model, x0, steps, {}, noise, Loss::kMse).loss.sum().backward();
  const Tensor gradient = output.grad();
  EXPECT_TENSOR_NEAR(gradient.narrow(1, 0, 3), 2 * (0.5 * noise - noise) / 12, (Tolerance{1e-12, 0}));
  EXPECT_GT(gradient.narrow(1, 3, 3).abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace sextant::testing
