#include "sextant/classifiers/calibrated.h"

#include <cmath>

#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

Tensor as(const std::vector<double>& values, const Tensor& f) {
  return at::tensor(values, at::kDouble).to(f.options());
}

class Calibrated : public guidance::Classifier {
 public:
  Calibrated(std::shared_ptr<const guidance::Classifier> classifier, Rescaling rescaling)
      : classifier_(std::move(classifier)), rescaling_(std::move(rescaling)) {}
  Tensor logits(const Tensor& x, const Tensor& t) const override { return rescaling_(classifier_->logits(x, t)); }
  int64_t num_classes() const override { return classifier_->num_classes(); }
  bool uses_time() const override { return classifier_->uses_time(); }

 private:
  std::shared_ptr<const guidance::Classifier> classifier_;
  Rescaling rescaling_;
};

/// A temperature as a scale of every class.
Rescaling widened(const Rescaling& rescaling, std::size_t classes) {
  if (!rescaling.scale.empty()) return rescaling;
  return {1, std::vector<double>(classes, 1 / rescaling.temperature), std::vector<double>(classes, 0)};
}

/// "input" of config.json for a convention that was chosen by hand.
json input_of(const InputConvention& convention) {
  json input = {{"range", {convention.low, convention.high}}};
  if (!convention.mean.empty()) {
    input["mean"] = convention.mean;
    input["std"] = convention.std;
  }
  if (convention.size > 0) input["resized_to"] = convention.size;
  return input;
}

bool is_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

}  // namespace

Tensor Rescaling::operator()(const Tensor& f) const {
  if (!scale.empty()) return f * as(scale, f) + as(shift, f);
  return temperature == 1 ? f : f / temperature;
}

Rescaling compose(const Rescaling& first, const Rescaling& second) {
  if (first.scale.empty() && second.scale.empty()) return {first.temperature * second.temperature, {}, {}};
  const std::size_t classes = std::max(first.scale.size(), second.scale.size());
  const Rescaling a = widened(first, classes);
  const Rescaling b = widened(second, classes);
  Rescaling both;
  for (std::size_t k = 0; k < classes; ++k) {
    both.scale.push_back(a.scale[k] * b.scale[k]);
    both.shift.push_back(a.shift[k] * b.scale[k] + b.shift[k]);
  }
  return both;
}

Rescaling rescaling_of(const json& config, int64_t classes) {
  const auto calibration = config.find("calibration");
  if (calibration == config.end()) return {};
  Rescaling rescaling;
  try {
    rescaling.temperature = calibration->value("temperature", 1.0);
    rescaling.scale = calibration->value("scale", std::vector<double>{});
    rescaling.shift = calibration->value("shift", std::vector<double>{});
  } catch (const json::exception&) {
    throw CheckpointError("config.json: \"calibration\" has an entry of the wrong type: " + calibration->dump());
  }
  const auto fits = [&](const std::vector<double>& values) {
    return static_cast<int64_t>(values.size()) == classes && is_finite(values);
  };
  const bool scaled = !rescaling.scale.empty() || !rescaling.shift.empty();
  if (!(rescaling.temperature > 0) || !std::isfinite(rescaling.temperature) ||
      (scaled && !(fits(rescaling.scale) && fits(rescaling.shift)))) {
    throw CheckpointError(
        c10::str("config.json: \"calibration\" needs a temperature above 0, or a scale and a shift of ", classes,
                 " finite numbers: ", calibration->dump()));
  }
  return rescaling;
}

json to_json(const Rescaling& rescaling) {
  if (rescaling.scale.empty()) return {{"temperature", rescaling.temperature}};
  return {{"scale", rescaling.scale}, {"shift", rescaling.shift}};
}

std::shared_ptr<const guidance::Classifier> calibrated(std::shared_ptr<const guidance::Classifier> classifier,
                                                       const Rescaling& rescaling) {
  if (rescaling.changes_nothing()) return classifier;
  return std::make_shared<const Calibrated>(std::move(classifier), rescaling);
}

void save_calibrated(const fs::path& folder, const fs::path& path, const std::string& arch,
                     const ClassifierOptions& options, int64_t classes, const Rescaling& rescaling,
                     const json& remarks) {
  const Description description = describe(path, arch);
  json config = description.config;
  if (options.softplus_beta > 0) config["model"]["softplus_beta"] = options.softplus_beta;
  if (options.input != "config" || options.input_size > 0) {
    config["input"] = input_of(input_convention(options.input, config, options.input_size));
  }
  json calibration = to_json(compose(rescaling_of(config, classes), rescaling));
  calibration.update(remarks);
  config["calibration"] = calibration;
  config.erase("measured");  // numbers of the classifier as it was

  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) throw Error("cannot make the folder " + folder.string() + ": " + problem.message());
  if (fs::exists(folder / "config.json") && fs::equivalent(folder, description.weights.parent_path())) {
    throw UsageError(folder.string() + ": is the folder of the classifier itself; choose another one to save in");
  }
  const auto contents = contents_of(description);
  if (contents->format == "torchscript") {
    config["weights"] = description.weights.filename().string();
    write_atomically(folder / description.weights.filename(), read_file(description.weights));
  } else {
    config.erase("weights");
    checkpoint::save_safetensors(folder / "model.safetensors", contents->weights());
  }
  write_atomically(folder / "config.json", config.dump(2) + "\n");
}

}  // namespace sextant::models
