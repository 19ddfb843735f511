#include <c10/util/StringUtil.h>

#include "internal/models/mixture.h"
#include "internal/networks/inference.h"
#include "internal/runtime/labels.h"
#include "sextant/diffusion/denoiser.h"
#include "sextant/models/denoiser.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

using diffusion::Counts;
using diffusion::Model;
using nlohmann::json;

namespace {

bool learns_variance(const diffusion::ProcessConfig& process) {
  return process.variance == diffusion::VarianceType::kLearned ||
         process.variance == diffusion::VarianceType::kLearnedRange;
}

/// Whether half of the channels that a network takes are a given image: it predicts noise, or noise and variance, of
/// the other half.
bool is_upsampler(const networks::NoiseNetwork& network, const diffusion::ProcessConfig& process) {
  const int64_t in = network.image_shape()[0];
  // As many channels out as in are a mean and a variance of half of them, or the mean of all.
  return in % 2 == 0 &&
         (2 * network.out_channels() == in || (network.out_channels() == in && learns_variance(process)));
}

void check_network(const networks::NoiseNetwork& network, const diffusion::ProcessConfig& process,
                   const std::string& source) {
  const int64_t channels = network.image_shape()[0];
  if (is_upsampler(network, process)) {
    throw UsageError(c10::str(source, ": an upsampler, which draws an image of ", channels / 2,
                              " channels around a low-resolution one that it is given; sampling starts from noise "
                              "alone and needs a model that does"));
  }
  const bool learned = learns_variance(process);
  if (network.out_channels() != (learned ? 2 : 1) * channels) {
    throw CheckpointError(c10::str(source, ": a network of ", channels, " channels that predicts ",
                                   network.out_channels(), " does not fit a process with ",
                                   learned ? "learned" : "fixed", " variance; check config.json's \"diffusion\""));
  }
}

/// What a network conditions on, one row a label.
struct LabelTable {
  std::string source;
  int64_t rows;
  int64_t null_label;

  /// Labels that have a row: the network would read others from beside its table. Those on a GPU are not waited for.
  /// What has another shape is the network's to refuse or, as rows of numbers, to take.
  Tensor checked(const Tensor& y) const {
    if (!y.defined() || y.dim() > 1) return y;
    if (!at::isIntegralType(y.scalar_type(), /*includeBool=*/false)) {
      throw ShapeError(c10::str("labels: expected int64 [N], got ", y.scalar_type(), " ", y.sizes()));
    }
    const Tensor labels = y.to(at::kLong);
    const auto wrong = labels.is_cpu() ? wrong_label(labels.reshape({-1}), rows) : std::nullopt;
    if (!wrong) return labels;
    throw UsageError(
        c10::str("labels: ", wrong->label, " of image ", wrong->place, " is no label of ", source, ", which has 0 to ",
                 rows - 1, null_label >= 0 ? c10::str(" (", null_label, " is no class)") : "", "; choose one of them"));
  }
};

void set_network(DiffusionModel& model, std::shared_ptr<const networks::NoiseNetwork> network) {
  const diffusion::ProcessConfig process = process_config(model.config.value("diffusion", json::object()));
  check_network(*network, process, model.source);
  const int64_t rows = network->num_classes();
  if (model.null_label >= rows) {
    throw CheckpointError(c10::str(model.source, ": null_label ", model.null_label, " is no row of a table of ", rows));
  }
  model.levels = process;
  model.sample_shape = network->image_shape();
  model.classes = model.null_label >= 0 ? rows - 1 : rows;
  model.cfg_channels = network->cfg_channels();
  const LabelTable table{model.source, rows, model.null_label};
  const networks::Inference forward(network, [&network = *network](const Tensor& x, const Tensor& t, const Tensor& y) {
    return network.forward(x, t, y);
  });
  model.function = [forward, table](const Tensor& x, const Tensor& t, const Tensor& y) {
    return forward(x, t, table.rows > 0 ? table.checked(y) : Tensor());
  };
}

void set_network(DiffusionModel& model, std::shared_ptr<const networks::EdmDenoiser> network) {
  model.levels = diffusion::SigmaRange{network->sigma_min(), network->sigma_max(), [network](double sigma) {
                                         return network->round_sigma(at::tensor(sigma, at::kDouble)).item<double>();
                                       }};
  model.sample_shape = network->image_shape();
  model.classes = network->num_classes();
  model.cfg_channels = model.sample_shape[0];
  const LabelTable table{model.source, model.classes, -1};
  const networks::Inference denoise(network,
                                    [&network = *network](const Tensor& x, const Tensor& sigma, const Tensor& y) {
                                      return network.denoise(x, sigma, y);
                                    });
  model.function = [denoise, table](const Tensor& x, const Tensor& sigma, const Tensor& y) {
    return denoise(x, sigma, table.rows > 0 ? table.checked(y) : Tensor());
  };
}

void set_mixture(DiffusionModel& model, const Description& description, Placement placement) {
  const diffusion::Mixture mixture = open_mixture(description, placement.device);
  model.points = true;
  model.sample_shape = {mixture.dimension(), 1, 1};
  model.classes = mixture.num_components();
  model.null_label = model.classes;
  model.cfg_channels = mixture.dimension();
  if (!model.config.contains("diffusion")) {
    const diffusion::Denoiser denoiser = diffusion::mixture_denoiser(mixture, /*conditional=*/true);
    model.levels = denoiser.range();
    model.function = denoiser.model();
    return;
  }
  json settings = model.config["diffusion"];
  if (settings.is_object()) settings.emplace("model_var_type", "FIXED_SMALL");
  if (settings.is_object()) settings.emplace("clip", false);
  diffusion::ProcessConfig process = process_config(settings);
  process.mean = diffusion::MeanType::kStartX;
  model.levels = process;
  model.function = diffusion::mixture_denoiser(mixture, diffusion::Process(process), /*conditional=*/true).model();
}

}  // namespace

Counts DiffusionModel::counts() const {
  return std::holds_alternative<diffusion::ProcessConfig>(levels) ? Counts::kTimesteps : Counts::kNoiseLevels;
}

const diffusion::ProcessConfig& DiffusionModel::process() const {
  if (const auto* process = std::get_if<diffusion::ProcessConfig>(&levels)) return *process;
  throw UsageError(source + " draws by noise levels and has no timesteps");
}

bool DiffusionModel::does_without_labels() const {
  return classes == 0 || counts() == Counts::kNoiseLevels || null_label >= 0;
}

Model DiffusionModel::unconditional() const {
  if (!does_without_labels()) {
    throw UsageError("unconditional: " + source + " has no null label; it was trained with classes only");
  }
  if (counts() == Counts::kTimesteps) return null_label >= 0 ? diffusion::labelled(function, null_label) : function;
  return [function = function](const Tensor& x, const Tensor& sigma, const Tensor&, Model::Time time) {
    return function(x, sigma, {}, time);
  };
}

diffusion::Denoiser DiffusionModel::denoiser() const {
  if (const auto* range = std::get_if<diffusion::SigmaRange>(&levels)) return {function, *range, sample_shape};
  return {function, diffusion::Process(process()), sample_shape};
}

DiffusionModel open_diffusion(const std::filesystem::path& path, const std::string& arch, Placement placement,
                              const WeightsChoice& choice) {
  const Description description = describe(path, arch, choice);
  DiffusionModel model;
  model.source = path.string();
  model.config = description.config;
  if (is_mixture(model.config)) {
    set_mixture(model, description, placement);
    return model;
  }
  model.null_label = description.config.value("null_label", int64_t{-1});
  const auto network = open_network(description, placement);
  if (auto sigma = std::dynamic_pointer_cast<const networks::EdmDenoiser>(network)) {
    set_network(model, std::move(sigma));
  } else if (auto noise = std::dynamic_pointer_cast<const networks::NoiseNetwork>(network)) {
    set_network(model, std::move(noise));
  } else {
    throw CheckpointError(description.weights.string() + ": a network of type '" +
                          description.config.at("type").get<std::string>() + "' is no diffusion model");
  }
  return model;
}

const std::vector<std::pair<std::string, diffusion::BetaSchedule>>& beta_schedule_words() {
  using diffusion::BetaSchedule;
  static const std::vector<std::pair<std::string, BetaSchedule>> kWords = {{"linear", BetaSchedule::kLinear},
                                                                           {"cosine", BetaSchedule::kCosine}};
  return kWords;
}

const std::vector<std::pair<std::string, diffusion::MeanType>>& mean_type_words() {
  using diffusion::MeanType;
  static const std::vector<std::pair<std::string, MeanType>> kWords = {{"epsilon", MeanType::kEpsilon},
                                                                       {"x0", MeanType::kStartX},
                                                                       {"previous_x", MeanType::kPreviousX},
                                                                       {"v", MeanType::kVelocity}};
  return kWords;
}

diffusion::ProcessConfig process_config(const json& diffusion) {
  using diffusion::VarianceType;
  static const std::vector<std::pair<std::string, VarianceType>> kVariances = {
      {"FIXED_SMALL", VarianceType::kFixedSmall},
      {"FIXED_LARGE", VarianceType::kFixedLarge},
      {"LEARNED", VarianceType::kLearned},
      {"LEARNED_RANGE", VarianceType::kLearnedRange}};
  const auto chosen = [&](const auto& table, const std::string& key, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& row : table) {
      if (row.first == name) return row.second;
      names.push_back(row.first);
    }
    throw CheckpointError("config.json: diffusion." + key + " '" + name + "' is unknown." + did_you_mean(name, names));
  };
  try {
    diffusion::ProcessConfig process;
    process.schedule = chosen(beta_schedule_words(), "noise_schedule", diffusion.value("noise_schedule", "linear"));
    process.steps = diffusion.value("steps", int64_t{1000});
    constexpr int64_t kMostSteps = 1'000'000;
    if (process.steps > kMostSteps) {
      throw CheckpointError(c10::str("config.json: diffusion.steps ", process.steps, " is more than the ", kMostSteps,
                                     " that a process may have"));
    }
    process.mean = chosen(mean_type_words(), "predict", diffusion.value("predict", "epsilon"));
    const bool learned = diffusion.value("learn_sigma", false);
    process.variance = chosen(kVariances, "model_var_type",
                              diffusion.value("model_var_type", learned ? "LEARNED_RANGE" : "FIXED_LARGE"));
    process.rescale_timesteps = diffusion.value("rescale_timesteps", false);
    process.clip = diffusion.value("clip", true);
    return process;
  } catch (const json::exception&) {
    throw CheckpointError("config.json: \"diffusion\" has an entry of the wrong type: " + diffusion.dump());
  }
}

}  // namespace sextant::models
