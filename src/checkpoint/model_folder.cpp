#include <fstream>

#include "internal/checkpoint/file.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"

namespace sextant::checkpoint {

namespace fs = std::filesystem;

ModelFolder open_model_folder(const fs::path& folder, bool (*has_weights)(const nlohmann::json& config)) {
  ModelFolder model;
  model.config_path = folder / "config.json";
  const auto fail = [](const fs::path& path, const std::string& reason) {
    return CheckpointError(path.string() + ": " + reason);
  };
  if (!fs::is_directory(folder))
    throw fail(folder, "is no model folder; expected one with config.json and its weights");
  try {
    const auto file = MappedFile::open(model.config_path);
    constexpr std::size_t kLargest = 16 << 20;
    if (file->bytes().size() > kLargest) throw Malformed("is too large for a model's configuration");
    model.config = nlohmann::json::parse(as_text(file->bytes()));
  } catch (const Malformed& problem) {
    throw fail(model.config_path, problem.what());
  } catch (const nlohmann::json::parse_error& problem) {
    throw fail(model.config_path, "is not valid JSON at byte " + std::to_string(problem.byte));
  } catch (const nlohmann::json::out_of_range&) {
    throw fail(model.config_path, "has a number beyond those of float64");
  }
  if (!model.config.is_object()) throw fail(model.config_path, "is not a JSON object");

  if (has_weights != nullptr && !has_weights(model.config)) {
    model.weights = model.config_path;
    return model;
  }
  std::string name = "model.safetensors";
  if (const auto chosen = model.config.find("weights"); chosen != model.config.end()) {
    if (!chosen->is_string()) throw fail(model.config_path, "\"weights\" is not a file name");
    name = chosen->get<std::string>();
  }
  // A model folder refers to nothing outside itself.
  const fs::path relative(name);
  if (relative.empty() || relative.has_parent_path() || name == "." || name == "..") {
    throw fail(model.config_path, "\"weights\" names " + shown(name) + ", expected a file of the same folder");
  }
  model.weights = folder / relative;
  if (!fs::is_regular_file(model.weights))
    throw fail(model.weights, "is missing; config.json beside it needs these weights");
  return model;
}

}  // namespace sextant::checkpoint
