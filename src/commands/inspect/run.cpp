#include <cmath>

#include "common/opened_weights.h"
#include "internal/commands/inspect.h"
#include "internal/models/mixture.h"
#include "internal/report/table.h"
#include "internal/runtime/text.h"
#include "internal/runtime/utf8.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/models/models.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::string dtype_name(const Tensor& tensor) {
  std::string name = at::toString(tensor.scalar_type());
  static const std::map<std::string, std::string> kNames = {
      {"Float", "float32"}, {"Double", "float64"}, {"Half", "float16"}, {"BFloat16", "bfloat16"}, {"Long", "int64"},
      {"Int", "int32"},     {"Short", "int16"},    {"Char", "int8"},    {"Byte", "uint8"},        {"Bool", "bool"}};
  const auto found = kNames.find(name);
  return found == kNames.end() ? name : found->second;
}

/// How many of the numbers are NaN or infinite.
int64_t count_not_finite(const Tensor& tensor) {
  if (!tensor.is_floating_point()) return 0;
  // They survive a sum: a mask as large as the tensor is made where there are some.
  if (std::isfinite(tensor.sum(at::kDouble).item<double>())) return 0;
  return at::isfinite(tensor).logical_not().sum().item<int64_t>();
}

/// "not_finite" is there where some numbers are not.
json row_of(const std::string& name, const Tensor& tensor) {
  json row = {{"name", name}, {"dtype", dtype_name(tensor)}, {"shape", tensor.sizes().vec()}};
  if (const int64_t count = count_not_finite(tensor); count > 0) row["not_finite"] = count;
  return row;
}

int64_t not_finite_of(const json& rows) {
  int64_t count = 0;
  for (const json& row : rows) count += row.value("not_finite", int64_t{0});
  return count;
}

/// 1234567 -> "1,234,567"
std::string grouped(int64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

json inspect_npz(const fs::path& path) {
  json rows = json::array();
  int64_t numbers = 0;
  const checkpoint::NpzReader reader(path);
  for (const std::string& name : reader.names()) {
    const Tensor array = reader.read(name);
    rows.push_back(row_of(name, array));
    numbers += array.numel();
  }
  return {{"format", "npz"}, {"tensors", rows}, {"parameters", numbers}};
}

/// The weights in the file of a model folder, or of a file alone, and what architecture they are of.
models::FileGuess found_in(const fs::path& path, const checkpoint::Checkpoint& file,
                           const models::WeightsChoice& choice) {
  if (!fs::is_directory(path)) return models::guess_architecture(file, choice);
  const models::Description folder = models::describe(path, "", choice);
  const auto network = models::build(folder.config);
  models::Weights weights = models::find_weights(*network, file, folder.choice);
  models::Guess guess = models::guess_architecture(weights.tensors);
  if (guess.archs.empty()) {  // the folder's own config.json is right: it needs no other
    guess.config = nullptr;
    guess.why = c10::str("no named one, the folder's own config.json: all ", weights.tensors.size(), " tensors fit it");
  }
  return {std::move(guess), std::move(weights)};
}

/// "guess", "group" and "notes".
json guess_of(const fs::path& path, const checkpoint::Checkpoint& file, const models::WeightsChoice& choice) {
  try {
    const auto [guess, weights] = found_in(path, file, choice);
    return {
        {"guess", {{"archs", guess.archs}, {"nearest", guess.nearest}, {"config", guess.config}, {"why", guess.why}}},
        {"group", weights.group},
        {"notes", weights.notes}};
  } catch (const CheckpointError& problem) {
    return {{"guess", {{"archs", json::array()}, {"nearest", ""}, {"config", nullptr}, {"why", problem.what()}}},
            {"group", nullptr},
            {"notes", json::array()}};
  }
}

json inspect_checkpoint(const fs::path& path, const fs::path& weights, const models::WeightsChoice& choice) {
  const checkpoint::Checkpoint checkpoint = checkpoint::load(weights);
  json rows = json::array();
  int64_t parameters = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    rows.push_back(row_of(name, tensor));
    if (tensor.is_floating_point()) parameters += tensor.numel();
  }
  json about = guess_of(path, checkpoint, choice);
  about.update({{"format", sextant::word_of(checkpoint::format_words(), checkpoint.format)},
                {"tensors", rows},
                {"parameters", parameters},
                {"metadata", checkpoint.metadata},
                {"config", checkpoint.config},
                {"unread", checkpoint.unread}});
  return about;
}

/// A mixture's numbers stand in its config.json; there is no file of weights.
json inspect_mixture(const fs::path& path) {
  const models::Description folder = models::describe(path);
  const diffusion::Mixture mixture = models::open_mixture(folder, at::kCPU);
  const int64_t K = mixture.num_components(), d = mixture.dimension();
  json config = folder.config;
  for (const char* long_list : {"means", "covariances", "weights"}) config["model"].erase(long_list);
  const Tensor apart = at::pdist(mixture.means());
  const bool timesteps = folder.config.contains("diffusion");
  return {{"format", "Gaussian mixture"},
          {"type", "mixture"},
          {"tensors",
           {{{"name", "weights"}, {"dtype", "float64"}, {"shape", {K}}},
            {{"name", "means"}, {"dtype", "float64"}, {"shape", {K, d}}},
            {{"name", "covariances"}, {"dtype", "float64"}, {"shape", {K, d, d}}}}},
          {"parameters", K + K * d + K * d * d},
          {"config", config},
          {"notes",
           {c10::str("classes 0 to ", K - 1, ", null label ", K, "; points of ", d, " numbers; the denoiser counts ",
                     timesteps ? "timesteps" : "noise levels"),
            c10::str("means ", report::fixed(apart.min().item<double>(), 2), " to ",
                     report::fixed(apart.max().item<double>(), 2), " apart")}},
          {"file", (path / "config.json").string()},
          {"bytes", fs::file_size(path / "config.json")}};
}

/// Which architecture the weights fit, and the config.json where they fit none by name.
std::string guess_text(const json& guess) {
  std::string text = "\narchitecture: " + guess.at("why").get<std::string>() + "\n";
  if (!guess.at("config").is_null()) text += "\nconfig.json:\n" + guess.at("config").dump(2) + "\n";
  return text;
}

}  // namespace

std::vector<OptionGroup> inspect_options(InspectConfig& config) {
  std::vector<Option> rows = weights_rows("", &config.weights.group, &config.weights.prefix, "the");
  rows.push_back({"--to", &config.to, Anything{},
                  "Write the weights to this .safetensors file, under the names that the network has for them",
                  "PATH"});
  rows.push_back({"--json", &config.json, Anything{}, "Print JSON", ""});
  return {{"inspect", "What to do with the file", std::move(rows)}};
}

json inspect(const fs::path& path, const models::WeightsChoice& choice) {
  if (fs::is_directory(path) && models::is_mixture_folder(path)) return inspect_mixture(path);
  fs::path file = path;
  json about;
  if (fs::is_directory(path)) {
    if (fs::exists(path / "run.json") && !fs::exists(path / "config.json")) {
      throw UsageError(path.string() + " is the folder of a run, not of a model; its settings are in its run.json, " +
                       "and inspect shows a file in it such as samples.npz");
    }
    const checkpoint::ModelFolder folder = checkpoint::open_model_folder(path);
    file = folder.weights;
    about = inspect_checkpoint(path, file, choice);
    about["config"] = folder.config;
    about["type"] = folder.config.value("type", json());
  } else {
    about = path.extension() == ".npz" ? inspect_npz(path) : inspect_checkpoint(path, path, choice);
  }
  about["not_finite"] = not_finite_of(about["tensors"]);
  about["file"] = file.string();
  about["bytes"] = fs::file_size(file);
  return about;
}

std::string inspection_text(const json& about) {
  const int64_t not_finite = not_finite_of(about.at("tensors"));
  std::string text = about.at("file").get<std::string>() + ": " + about.at("format").get<std::string>() + ", " +
                     grouped(about.at("bytes").get<int64_t>()) + " bytes\n" +
                     grouped(static_cast<int64_t>(about.at("tensors").size())) + " tensors, " +
                     grouped(about.at("parameters").get<int64_t>()) + " parameters, " +
                     (not_finite == 0 ? "all finite\n\n" : grouped(not_finite) + " of them NaN or infinite\n\n");
  for (const json& row : about.at("tensors")) {
    const std::string shape = row.at("shape").dump();
    std::string left = "  " + row.at("dtype").get<std::string>();
    left.resize(std::max<std::size_t>(left.size() + 1, 12), ' ');
    left += replaced(shape, ",", ", ");
    left.resize(std::max<std::size_t>(left.size() + 2, 34), ' ');
    text += left + one_line(row.at("name").get<std::string>());
    if (row.contains("not_finite")) text += ": " + grouped(row["not_finite"].get<int64_t>()) + " NaN or infinite";
    text += "\n";
  }
  if (about.contains("type") && about["type"].is_string()) {
    text += "\ntype: " + about["type"].get<std::string>() + "\n";
  }
  for (const char* key : {"metadata", "config"}) {
    if (about.contains(key) && !about[key].empty()) text += std::string("\n") + key + ": " + about[key].dump(2) + "\n";
  }
  if (about.contains("unread") && !about["unread"].empty()) {
    text +=
        "\nleft out, not executed: objects of " + joined(about["unread"].get<std::vector<std::string>>(), ", ") + "\n";
  }
  for (const std::string note : about.value("notes", json::array())) text += "\n" + note + "\n";
  if (about.contains("guess")) text += guess_text(about["guess"]);
  return text;
}

void convert(const fs::path& from, const fs::path& to, const models::WeightsChoice& choice) {
  if (to.extension() != ".safetensors") throw UsageError("--to must end in .safetensors, got '" + to.string() + "'");
  std::error_code ignored;
  if (fs::equivalent(from, to, ignored)) throw UsageError("--to is the file itself: " + to.string());
  if (fs::is_directory(from) && models::is_mixture_folder(from)) {
    throw UsageError("--to: " + from.string() + " is a mixture, which has no weights but those of its config.json");
  }
  const fs::path file = fs::is_directory(from) ? checkpoint::open_model_folder(from).weights : from;
  checkpoint::save_safetensors(to, found_in(from, checkpoint::load(file), choice).weights.tensors,
                               {{"source", from.filename().string()}});
}

}  // namespace sextant::commands
