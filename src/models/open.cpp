#include <c10/util/StringUtil.h>

#include "internal/models/registry.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/checkpoint/model_folder.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

Description describe_file(const fs::path& path, const std::string& arch) {
  if (!arch.empty()) return {arch_config(arch), path};
  const auto file = std::make_shared<const checkpoint::Checkpoint>(checkpoint::load(path));
  if (file->config.contains("type")) return {file->config, path, file};
  const Guess guess = guess_architecture(file->weights());
  if (guess.archs.size() == 1) return {arch_config(guess.archs.front()), path, file};
  std::string advice = guess.archs.empty() ? "" : "; name the right one with --arch";
  if (!guess.config.is_null()) advice = ": " + guess.config.dump();
  if (guess.nearest.empty() && guess.config.is_null() && file->format == "torchscript") {
    advice =
        "; to run the TorchScript program in it, which is code, name it: --arch torchscript, --classifier-arch "
        "torchscript";
  }
  throw CheckpointError(path.string() + ": " + guess.why + advice);
}

template <class Wanted>
std::shared_ptr<const Wanted> as(const std::shared_ptr<const networks::Network>& opened, const Description& description,
                                 const char* wanted) {
  auto network = std::dynamic_pointer_cast<const Wanted>(opened);
  if (!network) {
    throw CheckpointError(description.weights.string() + ": a network of type '" +
                          description.config.at("type").get<std::string>() + "' is no " + wanted);
  }
  return network;
}

}  // namespace

Description describe(const fs::path& path, const std::string& arch) {
  if (!fs::exists(path)) {
    throw CheckpointError(path.string() + ": no such file or folder; give a model folder or a checkpoint file");
  }
  if (!fs::is_directory(path)) return describe_file(path, arch);
  checkpoint::ModelFolder folder = checkpoint::open_model_folder(path);
  if (!arch.empty()) folder.config = arch_config(arch);
  return {std::move(folder.config), std::move(folder.weights)};
}

std::shared_ptr<const checkpoint::Checkpoint> contents_of(const Description& description) {
  if (description.contents) return description.contents;
  return std::make_shared<const checkpoint::Checkpoint>(checkpoint::load(description.weights));
}

void load_weights(networks::Network& network, const checkpoint::StateDict& weights, const std::string& source) {
  try {
    network.load(weights, source);
  } catch (const CheckpointError& mismatch) {
    const Guess guess = guess_architecture(weights);
    if (guess.archs.empty() && guess.config.is_null()) throw;
    throw CheckpointError(std::string(mismatch.what()) + " The file fits " +
                          (guess.archs.empty() ? guess.config.dump() : "--arch " + guess.archs.front()));
  }
}

std::shared_ptr<const networks::Network> open_network(const Description& description, Placement placement) {
  if (const auto open = networks::family_of(description.config).open) {
    return open(description.config.value("model", json::object()), description.weights, placement.device,
                placement.precision);
  }
  std::shared_ptr<networks::Network> network = build(description.config);
  load_weights(*network, contents_of(description)->weights(), description.weights.string());
  network->to(placement.device, placement.precision);
  network->freeze();
  return network;
}

diffusion::ProcessConfig process_config(const json& diffusion) {
  using diffusion::MeanType;
  using diffusion::VarianceType;
  static const std::vector<std::pair<std::string, MeanType>> kMeans = {{"epsilon", MeanType::kEpsilon},
                                                                       {"x0", MeanType::kStartX},
                                                                       {"previous_x", MeanType::kPreviousX},
                                                                       {"v", MeanType::kVelocity}};
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
    process.schedule = diffusion.value("noise_schedule", "linear");
    process.steps = diffusion.value("steps", int64_t{1000});
    process.mean = chosen(kMeans, "predict", diffusion.value("predict", "epsilon"));
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

std::vector<int64_t> DiffusionModel::sample_shape() const {
  return noise ? noise->image_shape() : sigma->image_shape();
}

diffusion::Model DiffusionModel::function() const {
  return [network = noise](const Tensor& x, const Tensor& t, const Tensor& y) {
    return network->forward(x, t, network->num_classes() > 0 ? y : Tensor());
  };
}

/// Whether half of the channels that a network takes are a given image: it predicts noise, or noise and variance, of
/// the other half.
static bool is_upsampler(const networks::NoiseNetwork& network) {
  const int64_t in = network.image_shape()[0];
  return in % 2 == 0 && (network.out_channels() == in || 2 * network.out_channels() == in);
}

DiffusionModel open_diffusion(const fs::path& path, const std::string& arch, Placement placement) {
  const Description description = describe(path, arch);
  DiffusionModel model;
  model.config = description.config;
  model.null_label = description.config.value("null_label", int64_t{-1});
  const auto network = open_network(description, placement);
  model.sigma = std::dynamic_pointer_cast<const networks::EdmDenoiser>(network);
  int64_t rows = 0;
  if (model.sigma) {
    rows = model.sigma->num_classes();
  } else {
    model.noise = as<networks::NoiseNetwork>(network, description, "diffusion model");
    model.process = process_config(description.config.value("diffusion", json::object()));
    rows = model.noise->num_classes();
    const int64_t channels = model.noise->image_shape()[0];
    if (is_upsampler(*model.noise)) {
      throw UsageError(c10::str(path.string(), ": an upsampler, which draws an image of ", channels / 2,
                                " channels around a low-resolution one that it is given; sampling starts from noise "
                                "alone and needs a model that does"));
    }
    const bool learned = model.process.variance == diffusion::VarianceType::kLearned ||
                         model.process.variance == diffusion::VarianceType::kLearnedRange;
    if (model.noise->out_channels() != (learned ? 2 : 1) * channels) {
      throw CheckpointError(c10::str(path.string(), ": a network of ", channels, " channels that predicts ",
                                     model.noise->out_channels(), " does not fit a process with ",
                                     learned ? "learned" : "fixed", " variance; check config.json's \"diffusion\""));
    }
  }
  model.classes = model.noise && model.null_label >= 0 ? rows - 1 : rows;
  if (model.null_label >= rows && model.noise) {
    throw CheckpointError(
        c10::str(path.string(), ": null_label ", model.null_label, " is no row of a table of ", rows));
  }
  return model;
}

}  // namespace sextant::models
