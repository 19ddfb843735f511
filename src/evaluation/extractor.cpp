#include "internal/evaluation/hash_of.h"
#include "internal/models/class_names.h"
#include "internal/models/mixture.h"
#include "internal/networks/family.h"
#include "internal/runtime/content_hash.h"
#include "internal/runtime/options.h"
#include "sextant/evaluation/evaluate.h"
#include "sextant/models/models.h"
#include "sextant/runtime/error.h"

namespace sextant::evaluation {
namespace {

constexpr const char* kInception = "inception-fid";

const char* resize_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::kOpenAi:
    case Protocol::kTorchFidelity:
      return "tensorflow1";
    case Protocol::kPytorchFid:
      return "pytorch-fid";
    case Protocol::kCleanFid:
      return "clean-fid";
  }
  throw UsageError("unknown protocol");
}

}  // namespace

const std::vector<std::pair<std::string, Protocol>>& protocol_words() {
  static const std::vector<std::pair<std::string, Protocol>> kWords = {{"openai", Protocol::kOpenAi},
                                                                       {"pytorch-fid", Protocol::kPytorchFid},
                                                                       {"torch-fidelity", Protocol::kTorchFidelity},
                                                                       {"clean-fid", Protocol::kCleanFid}};
  return kWords;
}

std::string name_of(Protocol protocol) { return word_of(protocol_words(), protocol); }

FeatureExtractor open_extractor(const FeatureConfig& config, Protocol protocol, models::Placement placement) {
  // A bare file without a word about it can only be Inception's, whose presets differ in the resize alone.
  const bool bare = !std::filesystem::is_directory(config.path) && config.arch.empty() && config.layer.empty();
  models::Description description = models::describe(config.path, bare ? kInception : config.arch, config.weights);
  FeatureExtractor extractor;
  extractor.name = description.config.at("type").get<std::string>();
  if (extractor.name == kInception) {
    description.config["model"]["resize"] = resize_of(protocol);
    extractor.name += std::string(" (") + resize_of(protocol) + ")";
  } else if (!config.layer.empty()) {
    extractor.name += " (" + config.layer + ")";
  }
  extractor.network = models::open_features(description, std::move(placement), config.layer);
  extractor.classes = {models::class_count_of(description.config), models::class_names_of(description.config)};
  ContentHash hash;
  hash.add(extractor.name);
  hash.add(description.config.at("model").dump());
  if (description.config.contains("input")) hash.add(description.config["input"].dump());
  hash.add(hash_of(*extractor.network));
  // What such files compute does not follow from their parameters: a mixture has none, a program is one.
  if (models::is_mixture(description.config) || networks::family_of(description.config).open) {
    hash.add(hash_of(description.weights));
  }
  extractor.hash = hash.digits();
  return extractor;
}

bool FeatureExtractor::is_inception() const { return name.starts_with(kInception); }

std::unique_ptr<data::ImageSet> open_images_for(const FeatureExtractor& extractor, const std::filesystem::path& path,
                                                const data::ReadOptions& read) {
  data::ReadOptions options = read;
  if (extractor.network) options.channels = extractor.network->channels();
  if (options.classes.count == 0) options.classes = extractor.classes;
  if (models::is_mixture_folder(path)) {
    constexpr int64_t kDraws = 10'000;
    const models::Points points = models::draw_points(models::describe(path), kDraws, /*seed=*/0);
    return data::images_in_memory(path.string() + " (" + std::to_string(kDraws) + " exact draws)", points.x,
                                  points.labels);
  }
  return data::open_images(path, options);
}

}  // namespace sextant::evaluation
