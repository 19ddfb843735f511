// The bias of every way to guide, measured where the truth is known: on a Gaussian mixture whose denoiser and
// classifier are exact. Prints the table of docs/methods.md.
//
//     mixture_bias [SAMPLES [SEEDS [STEPS]]]
//
// Each row draws all components with one method, DDPM except where it says otherwise, and compares what was drawn for
// a component with draws from that component: the share that the exact classifier gives to the asked component, and
// the sliced Wasserstein distance. Mean and standard deviation over the seeds.
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <numeric>

#include "sextant/diffusion/denoiser.h"
#include "sextant/diffusion/mixture.h"
#include "sextant/guidance/named_score.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "sextant/samplers/samplers.h"

namespace {

using namespace sextant;
using at::Tensor;
using diffusion::Mixture;
using guidance::GuideConfig;
using guidance::Input;

constexpr int64_t kClasses = 3;
constexpr double kDiverged = 10;  // the mixture lies within 2 of the origin

/// Two broad components that overlap, and a narrow one.
Tensor weights() { return at::tensor({0.5, 0.3, 0.2}, at::kDouble); }
Tensor means() { return at::tensor({-0.6, 0.0, 0.7, 0.4, 0.2, -1.1}, at::kDouble).view({kClasses, 2}); }
Tensor covariances() {
  return at::tensor({0.20, 0.05, 0.05, 0.10, 0.15, -0.05, -0.05, 0.20, 0.02, 0.0, 0.0, 0.02}, at::kDouble)
      .view({kClasses, 2, 2});
}
Mixture exact() { return {weights(), means(), covariances()}; }
/// What a weaker model of the same data would have learned: every component broader.
Mixture blurred() { return {weights(), means(), covariances() + 0.15 * at::eye(2, at::kDouble)}; }

diffusion::ProcessConfig process_config(int64_t steps) {
  diffusion::ProcessConfig config;
  config.mean = diffusion::MeanType::kStartX;
  config.variance = diffusion::VarianceType::kFixedSmall;
  config.respacing = steps > 0 ? std::to_string(steps) : "";
  config.clip = false;
  return config;
}

/// x0 of a mixture at the timesteps of the whole process; label K is the null class.
diffusion::Model model_of(const Mixture& mixture) {
  const auto whole = std::make_shared<diffusion::Process>(process_config(0));
  return [=](const Tensor& x, const Tensor& t, const Tensor& y) {
    const double abar = whole->abar(static_cast<int64_t>(t[0].item<double>()));
    return mixture.denoise(x.flatten(1), abar, y).view(x.sizes());
  };
}

/// The timestep whose noise level sqrt((1 - abar)/abar) is nearest to sigma.
double timestep_of(double sigma) {
  const diffusion::Process whole(process_config(0));
  int64_t t = 0;
  while (t < 999 && 1 / whole.abar(t) - 1 < sigma * sigma) ++t;
  return static_cast<double>(t);
}

class DoubleNoise : public Noise {
 public:
  using Noise::Noise;
  Tensor initial() override { return Noise::initial().to(at::kDouble); }
  Tensor at_step(int64_t step) override { return Noise::at_step(step).to(at::kDouble); }
};

struct Method {
  std::string name;
  std::string where;  ///< what the classifier reads, or what guides in its place
  diffusion::Model model;
  std::optional<GuideConfig> guide;
  int64_t recurrence = 1;
  samplers::Sampler* sampler = samplers::sample_ddpm;
  guidance::ScoreFunction score = guidance::named_score("plain");
};

struct Bench {
  int64_t samples = 3000;
  int64_t seeds = 5;
  int64_t steps = 250;

  Tensor labels() const { return at::arange(samples, at::kLong).remainder(kClasses); }

  Tensor draw(const Method& method, uint64_t seed) const {
    std::vector<int64_t> indices(static_cast<std::size_t>(samples));
    std::iota(indices.begin(), indices.end(), int64_t{0});
    DoubleNoise noise(seed, indices, {2, 1, 1});
    const diffusion::Process process(process_config(steps));
    const diffusion::Denoiser denoiser(method.model, process, {2, 1, 1});
    std::optional<guidance::Guide> guide;
    if (method.guide) {
      guide.emplace(method.guide->input == Input::kNoisy ? diffusion::mixture_classifier(exact(), process)
                                                         : diffusion::mixture_classifier(exact()),
                    method.score, *method.guide);
    }
    samplers::SamplerConfig config;
    config.recurrence = method.recurrence;
    // A guide steers a model that is told nothing.
    const Tensor told = method.guide ? at::full({samples}, kClasses, at::kLong) : labels();
    return method.sampler({denoiser, guide ? &*guide : nullptr, told, labels(), noise}, config).flatten(1);
  }

  Tensor exact_draws(uint64_t seed) const {
    const Tensor normal = at::randn({samples, 2}, at::detail::createCPUGenerator(seed), at::kDouble);
    return exact().draw(labels(), normal);
  }

  double share_asked(const Tensor& x) const {
    return (exact().log_joint(x).argmax(1) == labels()).to(at::kDouble).mean().item<double>();
  }

  /// Averaged over the components: the mean distance between sorted projections on 32 directions of the plane.
  double distance(const Tensor& x, const Tensor& truth) const {
    const Tensor angle = at::arange(32, at::kDouble) * (std::numbers::pi / 32);
    const Tensor directions = at::stack({angle.cos(), angle.sin()});
    double sum = 0;
    for (int64_t k = 0; k < kClasses; ++k) {
      const Tensor rows = (labels() == k).nonzero().squeeze(1);
      const auto sorted = [&](const Tensor& points) {
        return std::get<0>(at::matmul(points.index_select(0, rows), directions).sort(0));
      };
      sum += (sorted(x) - sorted(truth)).abs().mean().item<double>();
    }
    return sum / kClasses;
  }

  void print(const std::string& name, const std::string& where, const std::function<Tensor(uint64_t)>& draw) const {
    std::vector<double> shares, distances;
    try {
      for (int64_t s = 0; s < seeds; ++s) {
        const Tensor x = draw(static_cast<uint64_t>(s));
        shares.push_back(100 * share_asked(x));
        distances.push_back(distance(x, exact_draws(static_cast<uint64_t>(1000 + s))));
      }
    } catch (const NumericError&) {
      distances.push_back(kDiverged);
    }
    if (*std::max_element(distances.begin(), distances.end()) >= kDiverged) {
      std::printf("| %s | %s | diverges | diverges |\n", name.c_str(), where.c_str());
      std::fflush(stdout);
      return;
    }
    const auto spread = [](const std::vector<double>& values) {
      const Tensor t = at::tensor(values, at::kDouble);
      return std::pair{t.mean().item<double>(), values.size() > 1 ? t.std().item<double>() : 0.0};
    };
    const auto [share, share_std] = spread(shares);
    const auto [far, far_std] = spread(distances);
    std::printf("| %s | %s | %.1f ± %.1f | %.3f ± %.3f |\n", name.c_str(), where.c_str(), share, share_std, far,
                far_std);
    std::fflush(stdout);
  }
};

/// Plain guidance without the sine, so that each row adds one thing.
GuideConfig plain(Input input, double scale = 1) {
  GuideConfig config;
  config.input = input;
  config.scale = scale;
  config.gamma_factor = 0;
  return config;
}

template <class Change>
GuideConfig changed(GuideConfig config, const Change& change) {
  change(config);
  return config;
}

std::vector<Method> scores_at(Input input, const std::string& where) {
  const diffusion::Model model = model_of(exact());
  std::vector<Method> methods;
  const auto add = [&](const std::string& name, const auto& change) {
    methods.push_back({name, where, model, changed(plain(input), change)});
  };
  const auto add_score = [&](const std::string& name, const guidance::ScoreFunction& score) {
    methods.push_back({name, where, model, plain(input)});
    methods.back().score = score;
  };
  add_score("plain", guidance::named_score("plain"));
  guidance::ScoreConfig tempered;
  tempered.temperatures = {1, 0.5};
  add_score("temperatures 1, 0.5", guidance::named_score("plain", tempered));
  add_score("entropy", guidance::named_score("entropy"));
  add_score("reverse KL", guidance::named_score("rkl"));
  add_score("forward KL", guidance::named_score("fkl"));
  add_score("Jensen-Shannon", guidance::named_score("js"));
  add_score("Hellinger", guidance::named_score("hellinger"));
  add("tilt -0.2 over 250", [](GuideConfig& c) { c.tilt = -0.2, c.tilt_group = 250; });
  add("entropy-driven", [](GuideConfig& c) { c.entropy_driven = true; });
  add("sine 0.3", [](GuideConfig& c) { c.gamma_factor = 0.3; });
  add("scale 2", [](GuideConfig& c) { c.scale = 2; });
  return methods;
}

std::vector<Method> all_methods() {
  std::vector<Method> methods;
  const auto append = [&](std::vector<Method> more) { methods.insert(methods.end(), more.begin(), more.end()); };
  append(scores_at(Input::kNoisy, "x_t, exact"));
  append(scores_at(Input::kX0, "x0-hat"));
  append(scores_at(Input::kThroughDenoiser, "x0-hat, Jacobian"));

  const diffusion::Model model = model_of(exact());
  const auto universal = [&](const std::string& name, const GuideConfig& guide, int64_t recurrence,
                             const samplers::SamplerRow& row) {
    methods.push_back({name, row.word + ", x0-hat, Jacobian", model, guide, recurrence, row.sampler});
  };
  const GuideConfig forward = plain(Input::kThroughDenoiser);
  for (const samplers::SamplerRow& row : samplers::table()) {
    if (!row.recurs) continue;
    universal("forward guidance", forward, 1, row);
    universal("recurrence 4", forward, 4, row);
    universal("5 backward steps", changed(forward, [](GuideConfig& c) { c.backward_steps = 5, c.backward_lr = 0.02; }),
              1, row);
  }
  methods.push_back(
      {"interval 0.2,0.8 of the steps", "x0-hat", model,
       changed(plain(Input::kX0, 2), [](GuideConfig& c) { c.interval.low = 0.2, c.interval.high = 0.8; })});

  const auto free = [&](double scale) { return diffusion::classifier_free(model, kClasses, scale, 2); };
  methods.push_back({"the conditional model", "none", model, {}});
  methods.push_back({"classifier-free, 1.5", "the model without labels", free(1.5), {}});
  methods.push_back({"classifier-free, 3", "the model without labels", free(3), {}});
  methods.push_back({"classifier-free, 3, sigma in 0.3,3",
                     "the model without labels",
                     diffusion::in_interval(free(3), model, {timestep_of(0.3), timestep_of(3)}),
                     {}});
  methods.push_back({"a blurred conditional model", "none", model_of(blurred()), {}});
  const diffusion::Model worse = model_of({weights(), means(), covariances() + 0.3 * at::eye(2, at::kDouble)});
  methods.push_back({"autoguidance of it, 2",
                     "a model twice as blurred",
                     diffusion::autoguidance(model_of(blurred()), worse, 2, 2),
                     {}});
  methods.push_back({"classifier-free of it, 2",
                     "itself without labels",
                     diffusion::classifier_free(model_of(blurred()), kClasses, 2, 2),
                     {}});
  return methods;
}

}  // namespace

int main(int argc, char** argv) {
  Bench bench;
  if (argc > 1) bench.samples = std::atoll(argv[1]);
  if (argc > 2) bench.seeds = std::atoll(argv[2]);
  if (argc > 3) bench.steps = std::atoll(argv[3]);
  set_threads(1);  // points in the plane are too small for a second one
  std::printf("%lld samples, %lld seeds, %lld steps\n\n", static_cast<long long>(bench.samples),
              static_cast<long long>(bench.seeds), static_cast<long long>(bench.steps));
  std::printf("| method | guided by | asked component, %% | distance |\n| --- | --- | ---: | ---: |\n");
  bench.print("draws from the component itself", "none", [&](uint64_t seed) { return bench.exact_draws(seed); });
  for (const Method& method : all_methods()) {
    bench.print(method.name, method.where, [&](uint64_t seed) { return bench.draw(method, seed); });
  }
  return 0;
}
