#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "drawing/batch_sampler.h"
#include "sextant/runtime/error.h"
#include "trace/followed.h"

namespace sextant::commands {
namespace {

Tensor rms(const Tensor& x) { return x.square().flatten(1).mean(1).sqrt().view({-1, 1, 1, 1}); }

/// Noisy samples whose noise level is large, of EDM, would be black and white.
Tensor shrunk(const Tensor& x) { return x / rms(x).clamp_min(1); }

/// How fast the decoded pixels change where the latents z move along g: a central difference of the decoder.
Tensor pushed_through(const models::Decoder& decoder, const Tensor& z, const Tensor& g) {
  constexpr double kStep = 1e-2;  // of the latents' RMS: small to the decoder, large to its rounding
  const Tensor size = rms(g);
  const Tensor h = at::where(size > 0, kStep * rms(z) / size, at::ones_like(size));
  return (decoder.decode(z + h * g) - decoder.decode(z - h * g)) / (2 * h);
}

/// The frames of one batch.
class Framer {
 public:
  Framer(const MapChoice& shown, const std::vector<int64_t>& samples, const SamplingModels& models, double scale)
      : shown_(shown), models_(models), scale_(scale) {
    for (const int64_t sample : shown.samples) {
      const auto place = std::find(samples.begin(), samples.end(), sample);
      if (place != samples.end()) rows_.push_back(place - samples.begin()), here_.push_back(sample);
    }
  }

  void operator()(const samplers::Step& step) {
    if (rows_.empty() || std::find(shown_.at.begin(), shown_.at.end(), step.step) == shown_.at.end()) return;
    const at::NoGradGuard no_grad;
    const Tensor rows = at::tensor(rows_, at::kLong);
    const auto chosen = [&](const Tensor& x) { return x.index_select(0, rows.to(x.device())).to(at::kFloat); };
    const auto image = [&](const Tensor& x) { return models_.decoder ? models_.decoder->decode(x) : x; };
    const Tensor x0 = chosen(step.x0);
    const Tensor x_t = image(models_.points ? chosen(step.x_t) : shrunk(chosen(step.x_t))).cpu();
    Tensor gradient;
    if (step.guidance && scale_ != 0) {
      gradient = chosen(step.guidance->gradient) / scale_;
      if (models_.decoder) gradient = pushed_through(*models_.decoder, x0, gradient);
      gradient = gradient.cpu();
    }
    const Tensor seen = image(x0).cpu();
    for (std::size_t i = 0; i < here_.size(); ++i) {
      const auto n = static_cast<int64_t>(i);
      frames.push_back({here_[i], step.step, x_t[n], seen[n], gradient.defined() ? gradient[n] : Tensor()});
    }
  }

  std::vector<Frame> frames;

 private:
  const MapChoice& shown_;
  const SamplingModels& models_;
  double scale_;
  std::vector<int64_t> rows_, here_;
};

SamplingModels watched_models(const TraceMethod& method, Progress& progress) {
  SamplingModels models = open_models(method.config, /*watch=*/true);
  if (!models.guide) throw UsageError("nothing watches what is drawn: give a --classifier");
  for (const std::string& note : models.guide->notes) progress.note(note);
  if (method.config.guidance.none() && models.guide->classifier.uses_time) {
    throw UsageError("classifier " + method.config.classifier.path +
                     " reads x_t and cannot watch x0-hat; give this method, which has no guidance, another classifier");
  }
  return models;
}

/// Five steps from first to last, or fewer where there are fewer.
std::vector<int64_t> spread_steps(int64_t num_steps) {
  constexpr int64_t kFive = 5;
  std::vector<int64_t> steps;
  const int64_t count = std::min(kFive, num_steps);
  for (int64_t i = 0; i < count; ++i) {
    steps.push_back(num_steps - 1 - (count > 1 ? i * (num_steps - 1) / (count - 1) : 0));
  }
  return steps;
}

/// Points are shown together.
std::vector<int64_t> all_points(int64_t count) {
  constexpr int64_t kMost = 300;
  std::vector<int64_t> samples(static_cast<std::size_t>(std::min(count, kMost)));
  std::iota(samples.begin(), samples.end(), int64_t{0});
  return samples;
}

void check_steps(const std::vector<int64_t>& at, int64_t num_steps) {
  for (const int64_t step : at) {
    if (step < num_steps) continue;
    throw UsageError("--at " + std::to_string(step) + " is no step: a run of " + std::to_string(num_steps) +
                     " steps has " + std::to_string(num_steps - 1) + ", the noisiest, to 0");
  }
}

/// Every number of every image is kept: refused at once where that are more than `most`, not hours later.
void check_size(const SampleConfig& config, int64_t num_steps, int64_t most) {
  const int64_t of_image = kTraceNumbers * num_steps, fit = most / of_image;
  if (config.sample.count <= fit) return;
  throw UsageError(c10::str("--count ", config.sample.count, ": a trace keeps ", of_image, " numbers of each image (",
                            num_steps, " steps), and at most ", most, " of a method; ", fit, " images fit"));
}

}  // namespace

Followed follow(const TraceMethod& method, const MapChoice& given, int64_t most, Progress& progress, const Stop& stop) {
  const SampleConfig& config = method.config;
  BatchSampler sampler(config, watched_models(method, progress));
  Followed followed;
  check_size(config, sampler.trace_steps(), most);
  followed.name = method.name;
  followed.num_steps = sampler.trace_steps();
  followed.scale = config.guidance.none() ? 1 : config.guidance.guide.scale;
  if (followed.scale == 0) progress.note("note: scale 0 steers nothing, and its gradient cannot be told");
  MapChoice shown = given;
  followed.points = sampler.models().points;
  if (followed.points) shown.samples = all_points(config.sample.count);
  if (shown.at.empty()) shown.at = spread_steps(followed.num_steps);
  check_steps(shown.at, followed.num_steps);

  std::vector<Tensor> numbers;
  const int64_t count = config.sample.count;
  progress.begin("trace", static_cast<double>(count), 0, "images");
  for (int64_t first = 0; first < count && !stop.requested(); first += config.sample.batch) {
    std::vector<int64_t> samples;
    for (int64_t i = first; i < std::min(first + config.sample.batch, count); ++i) samples.push_back(i);
    Framer framer(shown, samples, sampler.models(), followed.scale);
    const auto n = static_cast<double>(samples.size());
    const Batch batch = sampler.draw(
        samples, [&](double share) { progress.update(static_cast<double>(first) + n * share); },
        [&](const samplers::Step& step) { framer(step); });
    numbers.push_back(batch.traces);
    followed.frames.insert(followed.frames.end(), framer.frames.begin(), framer.frames.end());
    for (const SampleRecord& record : batch.records) followed.labels.push_back(record.label);
  }
  progress.end();
  followed.complete = static_cast<int64_t>(followed.labels.size()) == count;
  if (numbers.empty()) return followed;
  followed.numbers = at::cat(numbers);
  // 0/0 is NaN, as where nothing was guided.
  followed.numbers.select(2, kGradientNorm).div_(std::abs(followed.scale));
  std::stable_sort(followed.frames.begin(), followed.frames.end(),
                   [](const Frame& a, const Frame& b) { return a.sample < b.sample; });
  return followed;
}

}  // namespace sextant::commands
