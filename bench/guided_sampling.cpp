// The whole guided loop on a bundled or published model, as image-steps per second: the median of several runs after
// one that is not counted.
//
//   guided_sampling --model models/mnist-adm --classifier models/mnist-classifier [--method none|plain|js...]
//   [--precision fp32|bf16]
//                   [--batch 64] [--steps 25] [--threads 2] [--runs 3] [--device cpu]
#include <chrono>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "sextant/guidance/score.h"
#include "sextant/models/classifier.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/device.h"
#include "sextant/samplers/samplers.h"

namespace {

using Clock = std::chrono::steady_clock;

std::map<std::string, std::string> read_flags(int argc, char** argv) {
  std::map<std::string, std::string> flags = {{"model", "models/mnist-adm"},
                                              {"classifier", "models/mnist-classifier"},
                                              {"method", "js"},
                                              {"precision", "fp32"},
                                              {"batch", "64"},
                                              {"steps", "25"},
                                              {"threads", "2"},
                                              {"runs", "3"},
                                              {"device", "cpu"},
                                              {"softplus-beta", "3"}};
  for (int i = 1; i + 1 < argc; i += 2) flags.at(std::string(argv[i]).substr(2)) = argv[i + 1];
  return flags;
}

}  // namespace

int main(int argc, char** argv) try {
  using namespace sextant;
  const auto flags = read_flags(argc, argv);
  const int64_t batch = std::stoll(flags.at("batch"));
  const int64_t steps = std::stoll(flags.at("steps"));
  keep_freed_memory();
  set_threads(std::stoi(flags.at("threads")));
  const at::Device device = parse_device(flags.at("device"));
  const Precision precision = parse_precision(flags.at("precision"), device);
  set_cuda_arithmetic({precision == Precision::kTf32});
  const models::Placement place{device, dtype_of(precision)};

  const models::DiffusionModel model = models::open_diffusion(flags.at("model"), "", place);
  const diffusion::Denoiser denoiser = model.denoiser();
  samplers::SamplerConfig sampler;
  sampler.steps = steps;

  std::unique_ptr<guidance::Guide> guide;
  if (flags.at("method") != "none") {
    const models::ClassifierConfig classifier = {.path = flags.at("classifier"),
                                                 .softplus_beta = std::stod(flags.at("softplus-beta"))};
    guidance::ScoreConfig terms;
    terms.temperatures.marginal = 0.5;
    guide = std::make_unique<guidance::Guide>(models::open_classifier(classifier, place),
                                              guidance::parse_score(flags.at("method"), terms));
  }

  const Tensor labels = at::arange(batch, at::kLong).remainder(10).to(device);
  std::vector<int64_t> samples(static_cast<std::size_t>(batch));
  std::iota(samples.begin(), samples.end(), int64_t{0});
  std::vector<double> seconds;
  for (int run = 0; run <= std::stoi(flags.at("runs")); ++run) {
    Noise noise(0, samples, model.sample_shape, device);
    const auto start = Clock::now();
    samplers::draw(sampler, denoiser, guide.get(), labels, labels, noise).cpu();
    if (run > 0) seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  std::cout << nlohmann::json{{"method", flags.at("method")},
                              {"precision", flags.at("precision")},
                              {"batch", batch},
                              {"steps", steps},
                              {"threads", threads()},
                              {"seconds", median},
                              {"fastest", seconds.front()},
                              {"image_steps_per_s", static_cast<double>(batch * steps) / median}}
            << '\n';
} catch (const std::exception& problem) {
  std::cerr << "guided_sampling: " << problem.what() << '\n';
  return 1;
}
