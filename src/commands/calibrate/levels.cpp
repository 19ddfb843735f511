#include "calibrate/levels.h"

#include <charconv>
#include <cmath>

#include "internal/models/mixture.h"
#include "internal/runtime/text.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"

namespace sextant::commands {
namespace {

std::vector<int64_t> shape_of(const Tensor& images) { return images.sizes().slice(1).vec(); }

/// The model, with the images' own labels or none.
std::optional<diffusion::Denoiser> denoiser_of(const models::DiffusionModel* model, bool unconditional) {
  if (model == nullptr) return std::nullopt;
  return unconditional ? model->denoiser().with(model->unconditional()) : model->denoiser();
}

/// Timesteps of a discrete process, with or without a network that predicts its noise.
class TimestepLevels : public Levels {
 public:
  TimestepLevels(const CalibrateConfig& config, const diffusion::ProcessConfig& process,
                 const models::DiffusionModel* model, const std::string& whose)
      : seed_(config.seed), process_(process), denoiser_(denoiser_of(model, config.model.unconditional)) {
    const int64_t steps = process_.num_steps();
    denoises_ = model != nullptr;
    points_ = model != nullptr && model->points;
    if (config.levels.empty()) {
      for (int64_t tenth = 0; tenth < 10; ++tenth) {
        const int64_t step = tenth * steps / 10;
        values_.push_back(static_cast<double>(step));
      }
      values_.push_back(static_cast<double>(steps - 1));
      return;
    }
    for (const double level : parse_numbers("--levels", config.levels)) {
      if (level != std::floor(level) || level < 0 || level >= static_cast<double>(steps)) {
        throw UsageError("--levels: " + shortest(level) + " is no timestep of " + whose + "; it has 0 to " +
                         std::to_string(steps - 1));
      }
      values_.push_back(level);
    }
  }

  Tensor noised(const Tensor& x0, double level, const std::vector<int64_t>& samples) const override {
    const auto step = static_cast<int64_t>(level);
    Noise noise(seed_, samples, shape_of(x0), x0.device());
    return process_.q_sample(x0, step, noise.at_step(step));
  }
  Tensor denoised(const Tensor& x_t, double level, const Tensor& labels) const override {
    const Tensor x0 = denoiser_->predict(x_t, static_cast<int64_t>(level), labels).x0;
    return points_ ? x0 : x0.clamp(-1, 1);
  }
  Tensor time(const Tensor& x_t, double level) const override {
    return process_.model_time(static_cast<int64_t>(level), x_t);
  }

 private:
  uint64_t seed_;
  bool points_ = false;  ///< have no range of pixels
  diffusion::Process process_;
  std::optional<diffusion::Denoiser> denoiser_;
};

/// Standard deviations: x = x0 + sigma n, with or without an EDM network. Every level scales the same noise.
/// Noise-aware classifiers are told sigma.
class SigmaLevels : public Levels {
 public:
  SigmaLevels(const CalibrateConfig& config, const models::DiffusionModel* model, bool noise_aware)
      : seed_(config.seed), noise_aware_(noise_aware), denoiser_(denoiser_of(model, config.model.unconditional)) {
    symbol_ = "sigma";
    denoises_ = model != nullptr;
    points_ = model != nullptr && model->points;
    const std::string levels = config.levels.empty() ? kUsualSigmas : config.levels;
    for (const double level : parse_numbers("--levels", levels)) {
      if (level < 0 || (denoiser_ && level == 0)) {
        throw UsageError("--levels: " + shortest(level) + " is no standard deviation of noise; they are above 0");
      }
      values_.push_back(level);
    }
  }

  Tensor noised(const Tensor& x0, double level, const std::vector<int64_t>& samples) const override {
    Noise noise(seed_, samples, shape_of(x0), x0.device());
    return x0 + level * noise.initial();
  }
  Tensor denoised(const Tensor& x_t, double level, const Tensor& labels) const override {
    const Tensor x0 = denoiser_->denoise(x_t, level, labels);
    return points_ ? x0 : x0.clamp(-1, 1);
  }
  Tensor time(const Tensor& x_t, double level) const override {
    return noise_aware_ ? at::full({x_t.size(0)}, level, x_t.options().dtype(at::kDouble)) : Tensor();
  }

 private:
  uint64_t seed_;
  bool noise_aware_;
  bool points_ = false;
  std::optional<diffusion::Denoiser> denoiser_;
};

void check_model(const CalibrateConfig& config, const models::DiffusionModel& model, const std::vector<int64_t>& images,
                 int64_t classes) {
  if (model.sample_shape != images) {
    throw UsageError(c10::str("--model ", config.model.path, " draws ", c10::IntArrayRef(model.sample_shape),
                              " (channels, height, width), the images of ", config.data, " are ",
                              c10::IntArrayRef(images)));
  }
  if (config.model.unconditional && !model.does_without_labels()) {
    throw UsageError("--unconditional: " + config.model.path + " has no null label; it was trained with classes only");
  }
  if (!config.model.unconditional && model.classes > 0 && model.classes != classes) {
    throw UsageError(c10::str("classifier ", config.classifier.path, " has ", classes, " classes but model ",
                              config.model.path, " has ", model.classes,
                              "; pass a --classifier of the model's classes, or --unconditional"));
  }
}

}  // namespace

models::Description described(const models::ClassifierConfig& classifier) {
  return models::description_of(models::members_of(classifier).front());
}

std::vector<double> parse_numbers(const std::string& flag, const std::string& text) {
  std::vector<double> numbers;
  for (const std::string& part : split(text, ',')) {
    const std::size_t first = part.find_first_not_of(' ');
    const char* begin = part.data() + (first == std::string::npos ? part.size() : first);
    const char* end = part.data() + part.size();
    double value = 0;
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (error != std::errc{} || stop != end || !std::isfinite(value)) {
      throw UsageError(flag + " '" + text + "': '" + part + "' is no number; give numbers separated by commas");
    }
    numbers.push_back(value);
  }
  return numbers;
}

std::unique_ptr<Levels> open_levels(const CalibrateConfig& config, const std::vector<int64_t>& images, bool noise_aware,
                                    int64_t classes, models::Placement placement) {
  const bool told_sigma = noise_aware && models::reads_noise_levels(config.classifier);
  if (!config.model.path.empty()) {
    const models::DiffusionModel model =
        models::open_diffusion(config.model.path, config.model.arch, placement, config.model.weights);
    check_model(config, model, images, classes);
    const bool by_levels = model.counts() == diffusion::Counts::kNoiseLevels;
    if (noise_aware && told_sigma != by_levels) {
      throw UsageError("classifier " + config.classifier.path +
                       (by_levels ? " knows discrete timesteps, " : " is a mixture that knows noise levels, ") +
                       config.model.path + (by_levels ? " has noise levels instead" : " has timesteps instead"));
    }
    if (by_levels) return std::make_unique<SigmaLevels>(config, &model, noise_aware);
    return std::make_unique<TimestepLevels>(config, model.process(), &model, config.model.path);
  }
  if (config.levels.empty()) return nullptr;
  if (!noise_aware || told_sigma) return std::make_unique<SigmaLevels>(config, nullptr, noise_aware);
  const nlohmann::json description = described(config.classifier).config;
  if (!description.contains("diffusion")) {
    throw UsageError("--levels: " + config.classifier.path +
                     " is noise-aware and its config.json has no \"diffusion\" that says what its timesteps mean; give "
                     "the --model it goes with");
  }
  return std::make_unique<TimestepLevels>(config, models::process_config(description["diffusion"]), nullptr,
                                          config.classifier.path);
}

}  // namespace sextant::commands
