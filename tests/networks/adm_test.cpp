// The networks of guided-diffusion against the original, run by PyTorch on the CPU.
#include "adm/config.h"
#include "networks/classifier_golden.h"
#include "networks/gradient.h"
#include "networks/made.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::networks {
namespace {

using testing::Golden;
using testing::Tolerance;

/// Files of these kinds, either the full-size ones or the others.
std::vector<std::filesystem::path> files(const std::vector<std::string>& kinds, bool full) {
  std::vector<std::filesystem::path> found;
  for (const std::string& kind : kinds) {
    for (const auto& path : testing::golden_files_of_kind(kind)) {
      if ((path.filename().string().rfind("full_", 0) == 0) == full) found.push_back(path);
    }
  }
  return found;
}

std::unique_ptr<NoiseNetwork> unet_of(const Golden& golden) {
  const bool flags = golden.metadata("kind") == "adm_flags";
  auto network = made<NoiseNetwork>("adm-unet", flags ? adm::unet_arguments(golden.config()) : golden.config());
  network->load(golden.weights(), golden.name());
  return network;
}

std::unique_ptr<ClassifierNetwork> classifier_of(const Golden& golden) {
  const bool flags = golden.metadata("kind") == "adm_classifier_flags";
  auto network =
      made<ClassifierNetwork>("adm-classifier", flags ? adm::encoder_arguments(golden.config()) : golden.config());
  network->load(golden.weights(), golden.name());
  return network;
}

class AdmGolden : public ::testing::TestWithParam<std::filesystem::path> {
 protected:
  AdmGolden() : golden_(GetParam()), network_(unet_of(golden_)) {}

  Tensor labels() const { return golden_.has("input/y") ? golden_["input/y"] : Tensor(); }

  void expect_reference(at::ScalarType type) const {
    const std::string prefix = type == at::kDouble ? "output64/" : "output/";
    const auto compare = [&](const std::string& name, const std::function<Tensor()>& actual) {
      if (!golden_.has(prefix + name)) return;
      const Tensor& expected = golden_[prefix + name];
      const Tolerance tolerance =
          type == at::kDouble ? Tolerance{testing::float64_tolerance(expected), 0} : golden_.output_tolerance(name);
      EXPECT_TRUE(testing::tensor_near(actual(), expected, tolerance)) << name;
    };
    const auto input = [&](const std::string& name) { return golden_["input/" + name].to(type); };
    const Tensor& t = golden_["input/t"];
    compare("out", [&] { return network_->forward(input("x"), t, labels()); });
    compare("out_frac", [&] { return network_->forward(input("x"), golden_["input/t_frac"], labels()); });
    compare("out_small", [&] { return network_->forward(input("x_small"), t, labels()); });
    compare("grad_vjp", [&] {
      return testing::gradient(
          [&](const Tensor& at) { return (network_->forward(at, t, labels()) * input("v")).sum(); }, input("x"));
    });
  }

  Golden golden_;
  std::unique_ptr<NoiseNetwork> network_;
};

TEST_P(AdmGolden, MatchesTheReference) { expect_reference(at::kFloat); }

TEST_P(AdmGolden, MatchesTheReferenceWithItsWeightsLaidOut) {
  network_->freeze();
  expect_reference(at::kFloat);
}

TEST_P(AdmGolden, AgreesWithTheReferenceToRoundingInFloat64) {
  network_->to(testing::test_device(), at::kDouble);
  expect_reference(at::kDouble);
  network_->freeze();
  expect_reference(at::kDouble);
}

TEST_P(AdmGolden, StaysNearTheReferenceInBfloat16) {
  network_->to(testing::test_device(), at::kBFloat16);
  network_->freeze();
  const Tensor expected = golden_["output/out"];
  const Tensor out = network_->forward(golden_["input/x"], golden_["input/t"], labels());
  EXPECT_EQ(out.scalar_type(), at::kFloat);
  EXPECT_LT((out.cpu() - expected).norm().item<double>(), 0.05 * expected.norm().item<double>());
}

TEST_P(AdmGolden, GivesASampleTheSameResultInEveryBatch) {
  network_->freeze();
  const Tensor& x = golden_["input/x"];
  const Tensor& t = golden_["input/t"];
  const Tensor together = network_->forward(x, t, labels());
  const auto one = [](const Tensor& tensor) { return tensor.defined() ? tensor.narrow(0, 0, 1) : tensor; };
  const Tensor alone = network_->forward(one(x), one(t), one(labels()));
  // A GPU chooses its algorithms by the size of the batch.
  EXPECT_TENSOR_NEAR(one(together), alone, (Tolerance{together.is_cpu() ? 2e-6 : 1e-5, 1e-6}));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AdmGolden);
INSTANTIATE_TEST_SUITE_P(Networks, AdmGolden, ::testing::ValuesIn(files({"adm_unet", "adm_flags"}, false)),
                         testing::golden_name);

using FullAdm = AdmGolden;
TEST_P(FullAdm, MatchesTheReferenceAtFullSize) {
  network_->freeze();
  expect_reference(at::kFloat);
}
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FullAdm);
INSTANTIATE_TEST_SUITE_P(Networks, FullAdm, ::testing::ValuesIn(files({"adm_unet", "adm_flags"}, true)),
                         testing::golden_name);

class AdmClassifierGolden : public ::testing::TestWithParam<std::filesystem::path> {
 protected:
  AdmClassifierGolden() : golden_(GetParam()), network_(classifier_of(golden_)) {}

  void expect_reference(at::ScalarType type) const {
    const std::string prefix = type == at::kDouble ? "output64/" : "output/";
    const Tensor x = golden_["input/x"].to(type);
    const Tensor& t = golden_["input/t"];
    const Tensor& y = golden_["input/y"];
    const auto compare = [&](const std::string& name, const Tensor& actual) {
      if (!golden_.has(prefix + name)) return;
      const Tensor& expected = golden_[prefix + name];
      const Tolerance tolerance =
          type == at::kDouble ? Tolerance{testing::float64_tolerance(expected), 0} : golden_.output_tolerance(name);
      EXPECT_TRUE(testing::tensor_near(actual, expected, tolerance)) << name;
    };
    compare("logits", network_->forward(x, t));
    compare("grad", testing::gradient(
                        [&](const Tensor& at) { return testing::summed_log_prob(network_->forward(at, t), y); }, x));
  }

  Golden golden_;
  std::unique_ptr<ClassifierNetwork> network_;
};

TEST_P(AdmClassifierGolden, MatchesTheReference) { expect_reference(at::kFloat); }

TEST_P(AdmClassifierGolden, MatchesTheReferenceWithItsWeightsLaidOut) {
  network_->freeze();
  expect_reference(at::kFloat);
}

TEST_P(AdmClassifierGolden, AgreesWithTheReferenceToRoundingInFloat64) {
  network_->to(testing::test_device(), at::kDouble);
  expect_reference(at::kDouble);
}

TEST_P(AdmClassifierGolden, StaysNearTheReferenceInBfloat16) {
  network_->to(testing::test_device(), at::kBFloat16);
  network_->freeze();
  const Tensor expected = golden_["output/logits"];
  const Tensor logits = network_->forward(golden_["input/x"], golden_["input/t"]);
  EXPECT_EQ(logits.scalar_type(), at::kFloat);
  EXPECT_LT((logits.cpu() - expected).norm().item<double>(), 0.05 * expected.norm().item<double>());
}

TEST_P(AdmClassifierGolden, NeedsTheTimestep) {
  EXPECT_TRUE(network_->uses_time());
  EXPECT_THROW(network_->forward(golden_["input/x"], {}), ShapeError);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AdmClassifierGolden);
INSTANTIATE_TEST_SUITE_P(Networks, AdmClassifierGolden,
                         ::testing::ValuesIn(files({"adm_classifier", "adm_classifier_flags"}, false)),
                         testing::golden_name);

using FullAdmClassifier = AdmClassifierGolden;
TEST_P(FullAdmClassifier, MatchesTheReferenceAtFullSize) {
  network_->freeze();
  expect_reference(at::kFloat);
}
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FullAdmClassifier);
INSTANTIATE_TEST_SUITE_P(Networks, FullAdmClassifier,
                         ::testing::ValuesIn(files({"adm_classifier", "adm_classifier_flags"}, true)),
                         testing::golden_name);

}  // namespace
}  // namespace sextant::networks
