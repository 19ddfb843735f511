#include "support/golden.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <regex>

#include "sextant/checkpoint/checkpoint.h"
#include "support/device.h"
#include "support/fill.h"

namespace sextant::testing {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path golden_dir() {
  const char* chosen = std::getenv("SEXTANT_GOLDEN_DIR");
  return chosen && *chosen ? fs::path(chosen) : source_dir() / "tests/golden";
}

std::string why_not_golden(const fs::path& folder) {
  if (fs::is_directory(folder / "math") && fs::is_directory(folder / "models")) return "";
  return "SEXTANT_GOLDEN_DIR is " + folder.string() +
         ", which has no folders math and models; name the folder of the reference vectors or unset it";
}

fs::path source_dir() { return SEXTANT_SOURCE_DIR; }

std::vector<fs::path> golden_files(const std::string& folder, const std::string& prefix) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(golden_dir() / folder, ignored)) {
    const fs::path& path = entry.path();
    if (path.extension() == ".safetensors" && path.filename().string().rfind(prefix, 0) == 0) files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> golden_files_of_kind(const std::string& kind) {
  std::vector<fs::path> files;
  for (const fs::path& path : golden_files("models")) {
    if (Golden(path).metadata("kind") == kind) files.push_back(path);
  }
  return files;
}

Golden::Golden(const fs::path& path) : path_(path), file_(checkpoint::load(path)) {
  config_ = json::parse(metadata("config", "{}"));
  if (test_device().is_cpu()) return;
  const checkpoint::StateDict read = file_.tensors;
  for (const auto& [name, tensor] : read) {
    if (name.rfind("input/", 0) == 0) file_.tensors.set(name, tensor.to(test_device()));
  }
}

std::string Golden::metadata(const std::string& key, const std::string& otherwise) const {
  const auto found = file_.metadata.find(key);
  return found == file_.metadata.end() ? otherwise : found->second;
}

Tolerance Golden::tolerance(const std::string& marker) const {
  std::string text = metadata("tolerance");
  if (const auto at = text.find(marker); at != std::string::npos) text = text.substr(at + marker.size());
  text = text.substr(0, text.find(';'));
  const auto number_after = [&](const std::string& word) {
    std::smatch match;
    return std::regex_search(text, match, std::regex(word + " ([0-9.eE+-]+)")) ? std::stod(match[1]) : 0.0;
  };
  return {number_after("abs"), number_after("rel")};
}

Tolerance Golden::output_tolerance(const std::string& output) const {
  return {json::parse(metadata("tolerance")).at(output).at("atol").get<double>(), 0};
}

checkpoint::StateDict Golden::weights() const {
  checkpoint::StateDict weights;
  if (metadata("weights_shipped") == "true") {
    for (const auto& [name, tensor] : file_.tensors) {
      if (name.rfind("weights/", 0) == 0) weights.set(name.substr(8), tensor);
    }
    return weights;
  }
  const FillRule rule{metadata("fill_prefix"), std::stod(metadata("fill_gain", "1")),
                      json::parse(metadata("fill_exceptions", "{}"))};
  for (const auto& row : json::parse(metadata("state_dict"))) {
    const auto name = row.at(0).get<std::string>();
    const bool integer = row.at(2).get<std::string>()[0] == 'I';
    const Tensor tensor = filled(name, row.at(1).get<std::vector<int64_t>>(), rule, integer);
    if (tensor.defined()) weights.set(name, tensor);
  }
  return weights;
}

static double largest_share = 0;

double take_largest_share() { return std::exchange(largest_share, 0); }

::testing::AssertionResult tensor_near(const Tensor& actual, const Tensor& expected, Tolerance tolerance) {
  if (!actual.defined()) return ::testing::AssertionFailure() << "undefined tensor";
  if (actual.sizes() != expected.sizes()) {
    return ::testing::AssertionFailure() << "shape " << actual.sizes() << ", expected " << expected.sizes();
  }
  if (expected.numel() == 0) return ::testing::AssertionSuccess();
  const Tensor a = actual.detach().to(at::kCPU, at::kDouble);
  const Tensor e = expected.detach().to(at::kCPU, at::kDouble);
  // Equal infinities agree; NaN agrees with nothing.
  const Tensor difference = at::where(a == e, at::zeros_like(a), (a - e).abs());
  const Tensor allowed = tolerance.atol + tolerance.rtol * e.abs();
  const Tensor good = difference <= allowed;
  largest_share = std::max(largest_share, (difference / allowed).nan_to_num(0, 0).max().item<double>());
  if (good.all().item<bool>()) return ::testing::AssertionSuccess();
  const int64_t worst =
      at::where(good, at::zeros_like(a), difference).nan_to_num(1e300).flatten().argmax().item<int64_t>();
  return ::testing::AssertionFailure() << (~good).sum().item<int64_t>() << " of " << a.numel()
                                       << " differ; at flat index " << worst << " got "
                                       << a.flatten()[worst].item<double>() << ", expected "
                                       << e.flatten()[worst].item<double>() << " (max difference "
                                       << difference.max().item<double>() << ", tolerance " << tolerance.atol << " + "
                                       << tolerance.rtol << " rel)";
}

std::string golden_name(const ::testing::TestParamInfo<fs::path>& info) {
  std::string name = info.param.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}

namespace {

/// TMPDIR; where that is not set, in memory if there is plenty, since runs wait for the disk at every batch.
fs::path place_for_folders() {
  constexpr std::uintmax_t kPlenty = std::uintmax_t{4} << 30;
  const fs::path memory = "/dev/shm";
  std::error_code unknown;
  const fs::space_info space = fs::space(memory, unknown);
  const bool plenty = !unknown && space.available >= kPlenty && space.available != std::uintmax_t(-1);
  return std::getenv("TMPDIR") == nullptr && plenty ? memory : fs::temp_directory_path();
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (place_for_folders() / "sextant-test-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("cannot make a temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace sextant::testing
