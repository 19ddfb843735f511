#include "train/identity.h"

#include <algorithm>

#include "internal/evaluation/hash_of.h"
#include "internal/runtime/content_hash.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int64_t kLookedAt = 64;  // images of a folder, which may hold a million

/// Of a file its bytes; of a folder the names of all images and some of them whole. Labels with both.
std::string hash_of(const fs::path& path, const data::ImageSet& set) {
  ContentHash hash;
  if (set.labels().defined()) hash.add(set.labels());
  if (!fs::is_directory(path)) {
    hash.add(evaluation::hash_of(path));
    return named_hash(hash.digits());
  }
  for (int64_t i = 0; i < set.size(); ++i) hash.add(set.name(i));
  const int64_t count = std::min(kLookedAt, set.size());
  for (int64_t i = 0; i < count; ++i) {
    try {
      hash.add(set.image(i * (set.size() - 1) / std::max<int64_t>(1, count - 1)));
    } catch (const DataError& problem) {  // the training says so where it needs the image
      hash.add(problem.what());
    }
  }
  return named_hash(hash.digits());
}

/// The entries that older versions did not keep.
bool is_new(const std::string& table, const std::string& key) {
  return table == "weights" || (table == "data" && key != "images");
}

}  // namespace

json identity_of(const TrainConfig& config, const TrainSetup& setup) {
  json identity = setup.settings;
  for (const char* table : {"train", "finetune"}) {
    if (!identity.contains(table)) continue;
    identity[table].erase("out");
    identity[table].erase("overwrite");
  }
  for (const char* neutral :
       {"log-every", "sample-every", "checkpoint-every", "workers", "device", "threads", "quiet"}) {
    identity["control"].erase(neutral);
  }
  json& images = identity["data"];
  images["images"] = setup.images->size();
  images["content"] = hash_of(config.data, setup.images->source());
  if (!config.validation.empty()) images["validation"] = hash_of(config.validation, setup.validation->source());
  if (!config.test.empty()) images["test"] = hash_of(config.test, setup.test->source());
  const auto add_table = [&](const char* key, const fs::path& file) {
    // A pipe has been read already.
    if (fs::is_regular_file(file)) images[key] = named_hash(evaluation::hash_of(file));
  };
  add_table("attributes", config.attributes);
  add_table("validation-attributes", config.validation_attributes);
  for (const json& opened : setup.weights.record())
    identity["weights"][opened.at("role").get<std::string>()] = opened.at("hash");
  identity["model"] = setup.model;
  return identity;
}

json identity_like(const json& there, const json& here) {
  json like = here;
  for (const auto& [table, keys] : here.items()) {
    for (const auto& [key, value] : keys.items()) {
      const bool kept = there.contains(table) && there[table].is_object() && there[table].contains(key);
      if (!kept && is_new(table, key)) like[table].erase(key);
    }
    if (!there.contains(table) && like[table].empty()) like.erase(table);
  }
  return like;
}

}  // namespace sextant::commands
