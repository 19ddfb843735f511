// A mixture in a config.json, as a diffusion model, as a classifier and as a judge of points.
#include <cmath>
#include <fstream>

#include "internal/models/mixture.h"
#include "sextant/models/classifier.h"
#include "sextant/models/denoiser.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using nlohmann::json;

/// Two components on a line, variance 0.5, at -1 and 2.
json line() {
  return {{"type", "mixture"},
          {"model", {{"means", {{-1.0}, {2.0}}}, {"covariances", 0.5}, {"weights", {0.25, 0.75}}}},
          {"diffusion", {{"noise_schedule", "linear"}, {"steps", 100}}}};
}

class MixtureFolder : public ::testing::Test {
 protected:
  std::filesystem::path write(const json& config) {
    std::ofstream(folder_ / "config.json") << config;
    return folder_.path();
  }
  std::string refusal(const json& model) {
    json config = line();
    config["model"] = model;
    const std::filesystem::path folder = write(config);
    const std::string message = message_of([&] { models::open_diffusion(folder, "", {}); });
    EXPECT_NE(message.find("config.json: "), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  }
  static json with(const json& covariances, const json& weights = nullptr) {
    json model = {{"means", {{0, 0}, {1, 1}}}, {"covariances", covariances}};
    if (!weights.is_null()) model["weights"] = weights;
    return model;
  }
  TemporaryFolder folder_;
};

TEST_F(MixtureFolder, ClassifiesByBayesTheorem) {
  const guidance::Classifier classifier = models::open_classifier({.path = write(line())}, {}, {1, 1});
  EXPECT_EQ(classifier.classes, 2);
  const Tensor x = at::tensor({-1.0F, 0.0F, 0.5F, 3.0F}).view({4, 1, 1, 1});
  const Tensor p = at::softmax(classifier.logits(x), 1).select(1, 1);
  for (int64_t n = 0; n < 4; ++n) {
    const double at = x[n].item<double>();
    // log-odds = log 3 + ((x + 1)^2 - (x - 2)^2)/(2 0.5)
    const double odds = std::log(3.0) + (at + 1) * (at + 1) - (at - 2) * (at - 2);
    EXPECT_NEAR(p[n].item<double>(), 1 / (1 + std::exp(-odds)), 1e-12);
  }
}

TEST_F(MixtureFolder, DenoisesTowardsTheComponentThatItIsTold) {
  const models::DiffusionModel model = models::open_diffusion(write(line()), "", {});
  EXPECT_TRUE(model.points);
  EXPECT_EQ(model.classes, 2);
  EXPECT_EQ(model.null_label, 2);
  EXPECT_EQ(model.sample_shape, (std::vector<int64_t>{1, 1, 1}));
  const diffusion::Denoiser denoiser = model.denoiser();
  const int64_t step = 60;
  const double abar = denoiser.process().abar(step);
  const Tensor x = at::full({3, 1, 1, 1}, 0.7, at::kDouble);
  const Tensor x0 = denoiser.predict(x, step, at::tensor({0, 1, 2}, at::kLong)).x0.flatten();
  // E[x0 | x_t, k] of a Gaussian: mu + sqrt(abar) s (x - sqrt(abar) mu)/(abar s + 1 - abar).
  const double s = 0.5, v = abar * s + 1 - abar;
  const auto of = [&](double mu) { return mu + std::sqrt(abar) * s * (0.7 - std::sqrt(abar) * mu) / v; };
  const auto density = [&](double mu) { return std::exp(-std::pow(0.7 - std::sqrt(abar) * mu, 2) / (2 * v)); };
  EXPECT_NEAR(x0[0].item<double>(), of(-1), 1e-12);
  EXPECT_NEAR(x0[1].item<double>(), of(2), 1e-12);
  const double w = 0.25 * density(-1) / (0.25 * density(-1) + 0.75 * density(2));
  EXPECT_NEAR(x0[2].item<double>(), w * of(-1) + (1 - w) * of(2), 1e-12) << "the null label leaves both";
}

TEST_F(MixtureFolder, CountsNoiseLevelsWithoutAProcess) {
  json config = line();
  config.erase("diffusion");
  const models::DiffusionModel model = models::open_diffusion(write(config), "", {});
  EXPECT_EQ(model.counts(), diffusion::Counts::kNoiseLevels);
  const Tensor x = at::full({1, 1, 1, 1}, 0.7, at::kDouble);
  const double sigma = 1.5;
  // x = x0 + sigma n of component 1: posterior mean of a Gaussian.
  const double expected = 2 + 0.5 * (0.7 - 2) / (0.5 + sigma * sigma);
  EXPECT_NEAR(model.denoiser().denoise(x, sigma, at::tensor({1}, at::kLong)).item<double>(), expected, 1e-12);
  EXPECT_NO_THROW(model.unconditional()(x, at::tensor({sigma}, at::kDouble), {}));
}

TEST_F(MixtureFolder, DrawsItsOwnPointsByItsWeights) {
  write(line());
  const models::Points points = models::draw_points(models::describe(folder_.path()), 20000, 3);
  EXPECT_EQ(points.x.sizes(), (at::IntArrayRef{20000, 1, 1, 1}));
  const Tensor second = points.labels == 1;
  EXPECT_NEAR(second.to(at::kDouble).mean().item<double>(), 0.75, 0.015);
  const Tensor x = points.x.flatten().masked_select(second).to(at::kDouble);
  EXPECT_NEAR(x.mean().item<double>(), 2, 0.02);
  EXPECT_NEAR(x.var().item<double>(), 0.5, 0.02);
  const models::Points fewer = models::draw_points(models::describe(folder_.path()), 10, 3);
  EXPECT_TRUE(fewer.x.equal(points.x.narrow(0, 0, 10))) << "point i depends on the seed and i alone";
}

TEST_F(MixtureFolder, TakesCovariancesInEveryForm) {
  const auto logits = [&](const json& covariances) {
    json config = line();
    config["model"] = with(covariances);
    return models::open_classifier({.path = write(config)}, {}, {2, 1})
        .logits(at::tensor({0.3F, -0.2F}).view({1, 2, 1, 1}));
  };
  const Tensor expected = logits(0.5);
  for (const json& same : {json({0.5, 0.5}), json({{0.5, 0.5}, {0.5, 0.5}}),
                           json::parse("[[[0.5, 0], [0, 0.5]], [[0.5, 0], [0, 0.5]]]")}) {
    EXPECT_TRUE(at::allclose(logits(same), expected, 1e-12, 1e-12)) << same;
  }
}

TEST_F(MixtureFolder, SaysInOneLineWhatIsNoMixture) {
  EXPECT_NE(refusal({{"means", {{0.0}}}, {"covariances", 1}}).find("1 means; a mixture has 2 to 1000"),
            std::string::npos);
  json many = json::array();
  for (int i = 0; i < 1001; ++i) many.push_back({i});
  EXPECT_NE(refusal({{"means", many}, {"covariances", 1}}).find("1001 means"), std::string::npos);
  EXPECT_NE(refusal(with(0)).find("positive definite"), std::string::npos) << refusal(with(0));
  EXPECT_NE(refusal(with(json::parse("[[[1, 2], [2, 1]], [[1, 0], [0, 1]]]"))).find("eigenvalue"), std::string::npos);
  EXPECT_NE(refusal(with(1, {0.5, 0.4})).find("sum 0.9"), std::string::npos) << refusal(with(1, {0.5, 0.4}));
  EXPECT_NE(refusal(with(1, {1.5, -0.5})).find("positive weights"), std::string::npos);
  EXPECT_NE(refusal(with(1, {1.0})).find("1 weights for 2 means"), std::string::npos);
  EXPECT_NE(refusal(with({1})).find("for each of the 2 components"), std::string::npos);
  EXPECT_NE(refusal({{"means", {{0, 0}, {1}}}, {"covariances", 1}}).find("one length"), std::string::npos);
  EXPECT_NE(refusal({{"means", "none"}, {"covariances", 1}}).find("lists of numbers"), std::string::npos);
  EXPECT_NE(refusal({{"covariances", 1}}).find("holds means"), std::string::npos);
  const std::string misspelt = refusal({{"means", {{0.0}, {1.0}}}, {"covariances", 1}, {"weight", {0.9, 0.1}}});
  EXPECT_NE(misspelt.find("unknown entry 'weight'"), std::string::npos) << misspelt;
  EXPECT_NE(misspelt.find("Did you mean 'weights'?"), std::string::npos) << misspelt;
}

TEST_F(MixtureFolder, RefusesEntriesThatNobodyReads) {
  const auto refused = [&](const std::string& entry) {
    json config = line();
    config[entry] = config["diffusion"];
    config.erase("diffusion");
    write(config);
    return message_of<CheckpointError>([&] { models::open_diffusion(folder_.path(), "", {}); });
  };
  EXPECT_NE(refused("difusion").find("config.json: unknown entry 'difusion'"), std::string::npos)
      << refused("difusion");
  EXPECT_NE(refused("difusion").find("Did you mean 'diffusion'?"), std::string::npos);
  EXPECT_NE(refused("foo").find("unknown entry 'foo'; a mixture has type, model"), std::string::npos);
  EXPECT_NE(refused("weights").find("It belongs in \"model\""), std::string::npos) << refused("weights");
  json config = line();
  config["diffusion"]["noise_shedule"] = "cosine";
  write(config);
  const std::string message = message_of<CheckpointError>([&] { models::open_diffusion(folder_.path(), "", {}); });
  EXPECT_NE(message.find("\"diffusion\" has an unknown entry 'noise_shedule'"), std::string::npos) << message;
  EXPECT_NE(message.find("Did you mean 'noise_schedule'?"), std::string::npos) << message;
  config = line();
  config["summary"] = "two on a line";
  config["diffusion"]["loss_type"] = "RESCALED_MSE";
  EXPECT_NO_THROW(models::open_diffusion(write(config), "", {}));
}

TEST_F(MixtureFolder, SpeaksOfPointsAndTheirDimensions) {
  const std::filesystem::path folder = write(line());
  const auto refused = [&](models::ImageSize seen) {
    return message_of<UsageError>([&] { models::open_classifier({.path = folder}, {}, seen); });
  };
  EXPECT_NE(refused({3, 1}).find("takes points of 1 dimension, the diffusion model draws points of 3 dimensions"),
            std::string::npos)
      << refused({3, 1});
  EXPECT_NE(refused({1, 28}).find("the diffusion model draws images of 1 channel"), std::string::npos);
}

TEST_F(MixtureFolder, KeepsACalibration) {
  const std::filesystem::path folder = write(line());
  const TemporaryFolder saved;
  models::save_calibrated(saved / "half", {.path = folder}, 2, {2, {}, {}}, json::object());
  const Tensor x = at::tensor({-1.0F, 0.5F}).view({2, 1, 1, 1});
  EXPECT_TRUE(at::allclose(models::open_classifier({.path = saved / "half"}, {}).logits(x),
                           models::open_classifier({.path = folder}, {}).logits(x) / 2));
}

TEST_F(MixtureFolder, IsNoNetwork) {
  const std::filesystem::path folder = write(line());
  EXPECT_NE(message_of([&] { models::open_network(models::describe(folder), {}); }).find("no network"),
            std::string::npos);
  EXPECT_NE(message_of([&] { models::open_classifier({.path = folder, .softplus_beta = 3}, {}); }).find("no ReLU"),
            std::string::npos);
  models::ClassifierConfig of_pixels{.path = folder};
  of_pixels.input = models::ClassifierInput::kImageNet;
  EXPECT_NE(message_of([&] { models::open_classifier(of_pixels, {}); }).find("classifier-input"), std::string::npos);
}

}  // namespace
}  // namespace sextant::testing
