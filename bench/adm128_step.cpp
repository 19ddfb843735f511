// One guided step of the ImageNet-128 ADM with a ResNet-101 at full size: seconds, and the denoiser's share. Random
// weights: speed does not depend on them. With --device cuda and one image it also prints how far the step is from the
// same step on the CPU.
//
//   adm128_step [--method none|plain|js|...] [--precision fp32|tf32|bf16|fp16] [--batch 1] [--threads 2] [--runs 3]
//               [--device cpu|cuda] [--loop STEPS] [--profile TRACE.json]
//
// --loop draws with the DDPM sampler in so many steps, none of which waits for the GPU, and prints its
// seconds_per_loop_step.
// --profile, after a loop, has CUPTI write what ran on the GPU and when.
#include <ATen/core/grad_mode.h>

#include <chrono>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#if defined(SEXTANT_CUDA)
#include <torch/csrc/autograd/profiler_kineto.h>
#endif

#include "internal/networks/inference.h"
#include "random_network.h"
#include "sextant/guidance/score.h"
#include "sextant/models/classifier.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"
#include "sextant/samplers/samplers.h"

namespace {

using namespace sextant;
using Clock = std::chrono::steady_clock;

struct Bench {
  Bench(const nlohmann::json& flags, const checkpoint::StateDict& unet, const checkpoint::StateDict& resnet,
        models::Placement place_)
      : place(place_), batch(flags.at("batch").get<int64_t>()), loop(flags.at("loop").get<int64_t>()) {
    const nlohmann::json config = models::arch_config("adm128-cond");
    const auto noise = bench::random_network<networks::NoiseNetwork>(config, unet, place);
    diffusion::ProcessConfig process = models::process_config(config.at("diffusion"));
    process.respacing = loop > 0 ? std::to_string(loop) : "250";
    const networks::Inference forward(
        noise, [&noise = *noise](const Tensor& x, const Tensor& t, const Tensor& y) { return noise.forward(x, t, y); });
    denoiser = std::make_unique<diffusion::Denoiser>(
        [forward](const Tensor& x, const Tensor& t, const Tensor& y) { return forward(x, t, y); },
        diffusion::Process(process), noise->image_shape());
    if (flags.at("method") == "none") return;
    nlohmann::json smooth = models::arch_config("resnet101");
    smooth["model"]["softplus_beta"] = 3.0;
    guidance::ScoreConfig terms;
    terms.temperatures.marginal = 0.5;
    // Without input convention, as EluCD uses it.
    guide = std::make_unique<guidance::Guide>(
        classifiers::of_network(bench::random_network<networks::ClassifierNetwork>(smooth, resnet, place)),
        guidance::parse_score(flags.at("method").get<std::string>(), terms));
  }

  /// x_{t-1}'s mean with guidance, from x_t at the middle of the trajectory.
  Tensor step(const Tensor& x, double* denoiser_seconds = nullptr) {
    const at::NoGradGuard no_grad;
    const int64_t t = denoiser->process().num_steps() / 2;
    const Tensor y = at::arange(batch, at::kLong).to(place.device);
    const auto start = Clock::now();
    const diffusion::Prediction p = denoiser->predict(x, t, y);
    if (denoiser_seconds) {
      p.mean.sum().item<float>();  // waits for the device
      *denoiser_seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    if (!guide) return p.mean;
    const diffusion::Process& process = denoiser->process();
    guidance::GuideInput in;
    in.x = x;
    in.t = process.model_time(t, x);
    in.x0 = p.x0;
    in.variance = p.variance;
    in.y = y;
    in.step = t;
    in.num_steps = process.num_steps();
    in.alpha_cumprod = process.abar(t);
    const Tensor gamma = guide->gamma(in);
    return at::addcmul(p.mean, gamma, (*guide)(in).gradient);
  }

  /// Seconds of a step of the sampler's loop.
  double draw() {
    std::vector<int64_t> samples(static_cast<std::size_t>(batch));
    std::iota(samples.begin(), samples.end(), int64_t{0});
    const Tensor y = at::arange(batch, at::kLong).to(place.device);
    samplers::SamplerConfig config;
    config.steps = loop;
    Noise noise(0, samples, {3, 128, 128}, place.device);
    const auto start = Clock::now();
    samplers::draw(config, *denoiser, guide.get(), y, y, noise).cpu();
    return std::chrono::duration<double>(Clock::now() - start).count() / static_cast<double>(loop);
  }

  models::Placement place;
  int64_t batch, loop;
  std::unique_ptr<diffusion::Denoiser> denoiser;
  std::unique_ptr<guidance::Guide> guide;
};

#if defined(SEXTANT_CUDA)
void profile(Bench& bench, const std::string& path) {
  namespace profiler = torch::autograd::profiler;
  const torch::profiler::impl::ProfilerConfig config(torch::profiler::impl::ProfilerState::KINETO);
  const std::set<torch::profiler::impl::ActivityType> seen = {torch::profiler::impl::ActivityType::CUDA};
  profiler::prepareProfiler(config, seen);
  profiler::enableProfiler(config, seen);
  bench.draw();
  profiler::disableProfiler()->save(path);
}
#else
void profile(Bench&, const std::string&) { throw Error("--profile needs a build with SEXTANT_CUDA=ON"); }
#endif

}  // namespace

int main(int argc, char** argv) try {
  nlohmann::json flags = {{"method", "js"}, {"precision", "fp32"}, {"batch", 1}, {"threads", 2},
                          {"runs", 3},      {"device", "cpu"},     {"loop", 0},  {"profile", ""}};
  for (int i = 1; i + 1 < argc; i += 2) {
    nlohmann::json& flag = flags.at(std::string(argv[i]).substr(2));
    flag = flag.is_number() ? nlohmann::json(std::stoll(argv[i + 1])) : nlohmann::json(argv[i + 1]);
  }
  set_threads(flags.at("threads").get<int>());
  const at::Device device = parse_device(flags.at("device").get<std::string>());
  const Precision precision = parse_precision(flags.at("precision").get<std::string>(), device);
  set_cuda_arithmetic({precision == Precision::kTf32});
  const models::Placement place{device, dtype_of(precision)};
  const checkpoint::StateDict unet = bench::random_weights(models::arch_config("adm128-cond"));
  const checkpoint::StateDict resnet = bench::random_weights(models::arch_config("resnet101"));
  Bench ours(flags, unet, resnet, place);
  const Tensor x = at::randn({ours.batch, 3, 128, 128});

  std::vector<std::pair<double, double>> seconds;
  const int warm_up = device.is_cpu() ? 1 : 5;
  const int runs = flags.at("runs").get<int>();
  Tensor mean;
  for (int run = 0; run < warm_up + runs; ++run) {
    double denoiser_seconds = 0;
    const auto start = Clock::now();
    mean = ours.step(x.to(device), &denoiser_seconds).cpu();
    if (run >= warm_up)
      seconds.emplace_back(std::chrono::duration<double>(Clock::now() - start).count(), denoiser_seconds);
  }
  std::sort(seconds.begin(), seconds.end());
  const auto [total, denoiser_seconds] = seconds[seconds.size() / 2];
  flags["seconds_per_step"] = total;
  flags["denoiser_share"] = denoiser_seconds / total;
  if (ours.loop > 0) {
    ours.draw();
    std::vector<double> loops;
    for (int run = 0; run < runs; ++run) loops.push_back(ours.draw());
    std::sort(loops.begin(), loops.end());
    flags["seconds_per_loop_step"] = loops[loops.size() / 2];
    const std::string trace = flags.at("profile").get<std::string>();
    if (!trace.empty()) profile(ours, trace);
  }
  if (!device.is_cpu() && ours.batch == 1) {
    Bench reference(flags, unet, resnet, {});
    const Tensor expected = reference.step(x);
    flags["max_abs_difference_from_cpu"] = (mean - expected).abs().max().item<double>();
  }
  std::cout << flags << '\n';
} catch (const std::exception& problem) {
  std::cerr << "adm128_step: " << problem.what() << '\n';
  return 1;
}
