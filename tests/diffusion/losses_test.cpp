#include "samplers/tiny_models.h"
#include "sextant/diffusion/denoiser.h"
#include "sextant/runtime/error.h"

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

TEST(TrainingLoss, RefusesAnswersThatOnlyBroadcast) {
  const diffusion::Process process({});
  const Tensor x0 = at::zeros({2, 3, 4, 4}), steps = at::tensor({0, 500}, at::kLong);
  for (const Tensor& answer :
       {at::ones({1, 3, 4, 4}), at::ones({2, 1, 4, 4}), at::ones({2, 3, 1, 4}), at::ones({3, 4, 4})}) {
    const diffusion::Model model = [&](const Tensor&, const Tensor&, const Tensor&) { return answer; };
    EXPECT_THROW(diffusion::training_loss(process, model, x0, steps, {}, x0, Loss::kMse), ShapeError) << answer.sizes();
  }
}

TEST(EdmLoss, HasTheReferencesTerms) {
  for (const auto& path : golden_files("math/samplers", "edm_loss")) {
    const Golden golden(path);
    SCOPED_TRACE(golden.name());
    const auto& config = golden.config();
    const diffusion::EdmLoss loss{config.at("P_mean"), config.at("P_std"), config.at("sigma_data")};
    const diffusion::EdmLossTerms terms =
        diffusion::edm_loss(tiny_sigma_model(golden, at::kDouble), golden["input/images"], golden["input/labels"],
                            golden["input/noise"], golden["input/rnd_normal"].flatten(), loss);
    EXPECT_TENSOR_NEAR(terms.sigma, golden["output/sigma"].flatten(), golden.tolerance());
    EXPECT_TENSOR_NEAR(terms.weight, golden["output/weight"].flatten(), golden.tolerance());
    EXPECT_TENSOR_NEAR(terms.loss, golden["output/loss"], golden.tolerance());
  }
}

TEST(EdmLoss, RefusesOtherShapes) {
  const diffusion::Model model = [](const Tensor& x, const Tensor&, const Tensor&) { return x; };
  const Tensor x0 = at::zeros({2, 1, 3, 3}), noise = at::ones({2, 1, 3, 3});
  EXPECT_NO_THROW(diffusion::edm_loss(model, x0, {}, noise, at::zeros({2})));
  EXPECT_THROW(diffusion::edm_loss(model, x0, {}, noise, at::zeros({2, 1, 1, 1})), ShapeError);
  EXPECT_THROW(diffusion::edm_loss(model, x0, {}, noise.narrow(0, 0, 1), at::zeros({2})), ShapeError);
  const diffusion::Model grey = [](const Tensor& x, const Tensor&, const Tensor&) { return x.mean(3, true); };
  EXPECT_THROW(diffusion::edm_loss(grey, x0, {}, noise, at::zeros({2})), ShapeError);
  diffusion::EdmLoss none;
  none.sigma_data = 0;
  EXPECT_THROW(diffusion::edm_loss(model, x0, {}, noise, at::zeros({2}), none), UsageError);
}

}  // namespace
}  // namespace sextant::testing
