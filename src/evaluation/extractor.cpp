#include "sextant/evaluation/extractor.h"

#include "content_hash.h"
#include "sextant/models/models.h"
#include "sextant/runtime/error.h"

namespace sextant::evaluation {
namespace {

constexpr const char* kInception = "inception-fid";

const char* resize_of(Protocol protocol) { return protocol == Protocol::kPytorchFid ? "pytorch-fid" : "tensorflow1"; }

}  // namespace

std::vector<std::string> protocol_names() { return {"openai", "pytorch-fid", "torch-fidelity"}; }

Protocol parse_protocol(const std::string& name) {
  const auto names = protocol_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<Protocol>(found - names.begin());
  throw UsageError("protocol must be openai, pytorch-fid or torch-fidelity, got '" + name + "'." +
                   did_you_mean(name, names));
}

std::string name_of(Protocol protocol) { return protocol_names()[static_cast<size_t>(protocol)]; }

FeatureExtractor open_extractor(const std::filesystem::path& path, Protocol protocol, at::Device device,
                                at::ScalarType precision, const std::string& arch, const std::string& layer) {
  // A bare file without a word about it can only be Inception's, of which there are two presets that differ in the
  // resize alone.
  const bool bare = !std::filesystem::is_directory(path) && arch.empty() && layer.empty();
  const char* const inception = protocol == Protocol::kPytorchFid ? "inception-pytorch-fid" : kInception;
  models::Description description = models::describe(path, bare ? inception : arch);
  FeatureExtractor extractor;
  extractor.name = description.config.at("type").get<std::string>();
  if (extractor.name == kInception) {
    description.config["model"]["resize"] = resize_of(protocol);
    extractor.name += std::string(" (") + resize_of(protocol) + ")";
  } else if (!layer.empty()) {
    extractor.name += " (" + layer + ")";
  }
  extractor.network = models::open_features(description, {device, precision}, layer);
  ContentHash hash;
  hash.add(extractor.name);
  hash.add(description.config.at("model").dump());
  if (description.config.contains("input")) hash.add(description.config["input"].dump());
  hash.add(hash_of(*extractor.network));
  if (extractor.network->parameters().entries().empty()) hash.add(hash_of(description.weights));
  extractor.hash = hash.digits();
  return extractor;
}

bool FeatureExtractor::is_inception() const { return name.starts_with(kInception); }

std::unique_ptr<data::ImageSet> open_images_for(const FeatureExtractor& extractor, const std::filesystem::path& path) {
  auto images = data::open_images(path);
  const std::string extension = std::filesystem::path(images->name(0)).extension().string();
  const bool files = extension == ".png" || extension == ".jpg" || extension == ".jpeg";
  return files ? data::open_image_folder(path, extractor.network->channels()) : std::move(images);
}

}  // namespace sextant::evaluation
