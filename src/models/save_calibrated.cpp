#include "internal/runtime/files.h"
#include "sextant/models/classifier.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// "input" of config.json for a convention that was chosen by hand.
json input_of(const classifiers::InputConvention& convention) {
  json input = {{"range", {convention.low, convention.high}}};
  if (!convention.mean.empty()) {
    input["mean"] = convention.mean;
    input["std"] = convention.std;
  }
  if (convention.size > 0) input["resized_to"] = convention.size;
  return input;
}

}  // namespace

void save_calibrated(const fs::path& folder, const fs::path& path, const std::string& arch,
                     const ClassifierOptions& options, int64_t classes, const classifiers::Rescaling& rescaling,
                     const json& remarks) {
  const Description description = describe(path, arch);
  json config = description.config;
  if (options.softplus_beta > 0) config["model"]["softplus_beta"] = options.softplus_beta;
  if (options.input != "config" || options.input_size > 0) {
    config["input"] = input_of(input_convention(options.input, config, options.input_size));
  }
  json calibration = classifiers::to_json(compose(classifiers::rescaling_of(config, classes), rescaling));
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
