#include "internal/models/mixture.h"
#include "internal/runtime/files.h"
#include "sextant/models/classifier.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

namespace fs = std::filesystem;
using nlohmann::json;

void save_calibrated(const fs::path& folder, const ClassifierConfig& classifier, int64_t classes,
                     const classifiers::Rescaling& rescaling, const json& remarks) {
  if (members_of(classifier).size() > 1) {
    throw UsageError("classifier " + classifier.path + " is several; a folder keeps the calibration of one");
  }
  const Description description = description_of(classifier);
  json config = description.config;
  if (classifier.softplus_beta > 0) config["model"]["softplus_beta"] = classifier.softplus_beta;
  config = with_input(std::move(config), classifier.input, classifier.size, classifier.resize);
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
  if (is_mixture(config)) {
    config["model"].erase("in_channels");  // describe()'s
    write_atomically(folder / "config.json", config.dump(2) + "\n");
    return;
  }
  const auto contents = contents_of(description);
  if (contents->format == checkpoint::Format::kTorchScript) {
    config["weights"] = description.weights.filename().string();
    write_atomically(folder / description.weights.filename(), read_file(description.weights));
  } else {
    for (const char* key : {"weights", "weights_group", "prefix"}) config.erase(key);
    checkpoint::save_safetensors(folder / "model.safetensors",
                                 find_weights(*build(description.config), *contents, description.choice).tensors);
  }
  write_atomically(folder / "config.json", config.dump(2) + "\n");
}

}  // namespace sextant::models
