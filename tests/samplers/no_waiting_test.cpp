// No step of a run makes the processor wait for a GPU: tested without one.
#include <ATen/record_function.h>

#include <algorithm>
#include <map>

#include "sextant/classifiers/wrappers.h"
#include "sextant/diffusion/denoiser.h"
#include "sextant/guidance/score.h"
#include "sextant/runtime/progress.h"
#include "sextant/samplers/samplers.h"

namespace sextant::testing {
namespace {

/// Operations that read a number off the device, by name, while it lives.
class Reads {
 public:
  Reads() {
    counts().clear();
    handle_ = at::addGlobalCallback(at::RecordFunctionCallback(&Reads::note).scopes({at::RecordScope::FUNCTION}));
  }
  ~Reads() { at::removeCallback(handle_); }

  int64_t total() const {
    int64_t sum = 0;
    for (const auto& [name, count] : counts()) sum += count;
    return sum;
  }
  std::string names() const {
    std::string all;
    for (const auto& [name, count] : counts()) all += name + " " + std::to_string(count) + ", ";
    return all;
  }

 private:
  static std::map<std::string, int64_t>& counts() {
    static std::map<std::string, int64_t> counts;
    return counts;
  }
  static std::unique_ptr<at::ObserverContext> note(const at::RecordFunction& function) {
    static const std::vector<std::string> kReading = {"aten::item",       "aten::_local_scalar_dense",
                                                      "aten::is_nonzero", "aten::nonzero",
                                                      "aten::equal",      "aten::masked_select"};
    const std::string name = function.name();
    if (std::find(kReading.begin(), kReading.end(), name) != kReading.end()) ++counts()[name];
    return nullptr;
  }

  at::CallbackHandle handle_;
};

constexpr int64_t kChannels = 2, kSide = 4, kClasses = 3;

/// Weights on a device; of one that holds no numbers, their shape.
Tensor weights(at::IntArrayRef shape, at::Device device) { return (at::randn(shape) / 4).to(device); }

diffusion::Model model(int64_t out, at::Device device) {
  const Tensor w = weights({out, kChannels}, device);
  return [w](const Tensor& x, const Tensor& t, const Tensor& y) {
    const Tensor level = (t.to(x.scalar_type()).cos() + y.to(x.scalar_type())).view({-1, 1, 1, 1});
    return at::matmul(x.permute({0, 2, 3, 1}), w.t()).permute({0, 3, 1, 2}) + 0.1 * level;
  };
}

/// Normalised, cut out at random, calibrated and watched: all that a run puts around a network.
guidance::Classifier classifier(at::Device device) {
  const Tensor w = weights({kClasses, kChannels * kSide * kSide}, device);
  guidance::Classifier c{[w](const Tensor& x) { return at::matmul(x.flatten(1), w.t()); }, kClasses};
  c = classifiers::calibrated(std::move(c), {1, {1.1, 0.9, 1}, {0.1, 0, 0}});
  c = classifiers::normalised(std::move(c), {0, 1, {0.4, 0.5}, {0.2, 0.3}, 0, classifiers::Resize::kBilinear});
  c = classifiers::cut_out(std::move(c), {2, 0.5, kSide, classifiers::Resize::kBilinear});
  return classifiers::timed(std::move(c), std::make_shared<Stopwatch>());
}

/// "plain+entropy+..."
std::string all_scores() {
  std::string name;
  for (const guidance::ScoreTerm& term : guidance::kScoreTerms)
    name += (name.empty() ? "" : "+") + std::string(term.word);
  return name;
}

class EveryStep : public ::testing::TestWithParam<samplers::SamplerRow> {
 protected:
  diffusion::Denoiser denoiser(at::Device device) const {
    at::manual_seed(1);
    const auto network = [&](int64_t out) { return model(out, device); };
    if (GetParam().needs == diffusion::Counts::kNoiseLevels) {
      const diffusion::Model within = diffusion::in_interval(network(kChannels), network(kChannels), {0.3, 5});
      return {within, diffusion::SigmaRange{}, {kChannels, kSide, kSide}};
    }
    diffusion::ProcessConfig config;
    config.steps = 100;
    config.respacing = "6";
    config.variance = diffusion::VarianceType::kLearnedRange;
    const diffusion::Model guided = diffusion::classifier_free(network(2 * kChannels), 0, 1.5, kChannels);
    const diffusion::Model within = diffusion::in_interval(guided, network(2 * kChannels), {10, 70});
    return diffusion::timed({within, diffusion::Process(config), {kChannels, kSide, kSide}},
                            std::make_shared<Stopwatch>());
  }

  /// Draws two images; `observe` hears of each step.
  void draw(at::Device device, const samplers::StepObserver& observe) const {
    guidance::GuideConfig settings;
    settings.tilt = -0.2;
    settings.entropy_driven = true;
    settings.backward_steps = 1;
    guidance::Guide guide(classifier(device), guidance::parse_score(all_scores()), settings);
    samplers::SamplerConfig config;
    config.steps = 6;
    const Tensor y = at::tensor({0, 2}, at::kLong).to(device);
    Noise noise(3, {0, 1}, {kChannels, kSide, kSide}, device);
    const diffusion::Denoiser drawn = denoiser(device);
    GetParam().sampler({drawn, &guide, y, y, noise, observe}, config);
  }
};

TEST_P(EveryStep, AsksNoTensorForANumber) {
  int64_t steps = 0, before_first = -1;
  const Reads reads;
  draw(at::kCPU, [&](const samplers::Step&) {
    if (++steps == 1) before_first = reads.total();
  });
  EXPECT_EQ(steps, 6);
  EXPECT_EQ(before_first, 0) << reads.names();
  EXPECT_EQ(reads.total(), 0) << reads.names();
}

/// On a device whose tensors have shapes and no numbers, whoever copies one to the CPU or asks for a number fails.
TEST_P(EveryStep, CopiesNoNumberOffTheDevice) {
  int64_t steps = 0;
  const auto observe = [&](const samplers::Step& step) {
    EXPECT_TRUE(step.x.is_meta());
    ++steps;
  };
  try {
    draw(at::Device(at::kMeta), observe);
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    const bool lacking =
        text.find("Could not run 'aten::") == 0 || text.find("with Meta tensors, but there was no") < 80;
    if (!lacking || text.find("_local_scalar_dense") < 80) throw;
    GTEST_SKIP() << "this libtorch lacks an operation on shapes: " << text.substr(0, text.find(" with "));
  }
  EXPECT_EQ(steps, 6);
}

INSTANTIATE_TEST_SUITE_P(Samplers, EveryStep, ::testing::ValuesIn(samplers::table()), [](const auto& info) {
  std::string name = info.param.word;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
});

TEST(Reads, CountWhatTheyAreThereToCount) {
  const Reads reads;
  at::ones({2}).sum().item<double>();
  EXPECT_GE(reads.total(), 1);
  EXPECT_THROW(at::ones({2}, at::kMeta).sum().item<double>(), c10::Error);
  EXPECT_THROW(at::ones({2}, at::kMeta).to(at::kCPU), c10::Error);
}

}  // namespace
}  // namespace sextant::testing
