#include "internal/training/snapshots.h"

#include <algorithm>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"

namespace sextant::training {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::size_t kKept = 2;
constexpr const char* kPrefix = "step-";

json facts_of(const checkpoint::Checkpoint& checkpoint, const fs::path& path) {
  const auto found = checkpoint.metadata.find("sextant.training");
  const json facts = found == checkpoint.metadata.end() ? json() : json::parse(found->second, nullptr, false);
  const json step = facts.is_object() ? facts.value("step", json()) : json();
  if (!step.is_number_integer() || step.get<int64_t>() < 0) {
    throw CheckpointError(path.string() + ": is no training state");
  }
  return facts;
}

}  // namespace

std::vector<fs::path> Snapshots::files() const {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    const fs::path& path = entry.path();
    if (path.extension() == ".safetensors" && path.filename().string().starts_with(kPrefix)) files.push_back(path);
  }
  std::sort(files.rbegin(), files.rend());  // numbers have leading zeros
  return files;
}

void Snapshots::save(const Snapshot& snapshot) const {
  std::error_code problem;
  fs::create_directories(folder_, problem);
  if (problem) throw Error("cannot make the folder " + folder_.string() + ": " + problem.message());
  std::string number = std::to_string(snapshot.step);
  number.insert(0, number.size() < 9 ? 9 - number.size() : 0, '0');
  json facts = snapshot.facts;
  facts["step"] = snapshot.step;
  checkpoint::save_safetensors(folder_ / (kPrefix + number + ".safetensors"), snapshot.tensors,
                               {{"sextant.training", facts.dump()}});
  const std::vector<fs::path> all = files();
  for (std::size_t i = kKept; i < all.size(); ++i) fs::remove(all[i]);
}

std::optional<Snapshot> Snapshots::newest() const {
  std::string problems;
  for (const fs::path& path : files()) {
    try {
      checkpoint::Checkpoint checkpoint = checkpoint::load(path);
      Snapshot snapshot;
      snapshot.facts = facts_of(checkpoint, path);
      snapshot.step = snapshot.facts.at("step").get<int64_t>();
      snapshot.tensors = std::move(checkpoint.tensors);
      return snapshot;
    } catch (const CheckpointError& problem) {
      problems = problem.what();  // an older one may be whole
    }
  }
  if (!problems.empty()) throw CheckpointError(problems);
  return std::nullopt;
}

}  // namespace sextant::training
