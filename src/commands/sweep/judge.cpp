#include "sweep/judge.h"

#include <unistd.h>

#include "common/metric_style.h"
#include "internal/commands/evaluate.h"
#include "internal/runtime/text.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "sweep/place.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// A set of images that is `path` itself or, where that has more, its first images in a file that goes with this.
class FirstImages {
 public:
  FirstImages(const fs::path& path, int64_t images) : path_(path) {
    const checkpoint::NpzReader whole(path);
    if (whole.shape("arr_0").at(0) <= images) return;
    // Another sweep may compare the same images.
    path_ = path.parent_path() / (".first-" + std::to_string(images) + "-" + std::to_string(getpid()) + ".npz");
    temporary_ = true;
    checkpoint::save_npz(path_, {{"arr_0", whole.read("arr_0").narrow(0, 0, images)},
                                 {"arr_1", whole.read("arr_1").narrow(0, 0, images)}});
  }
  ~FirstImages() {
    std::error_code ignored;
    if (temporary_) fs::remove(path_, ignored);
  }
  FirstImages(const FirstImages&) = delete;
  FirstImages& operator=(const FirstImages&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  bool temporary_ = false;
};

std::vector<ledger::Score> scores_of(const evaluation::Evaluation& evaluation) {
  std::vector<ledger::Score> scores;
  for (const evaluation::Measure& measure : evaluation.measures) {
    ledger::Score score{measure.key, measure.value, measure.deviation, {}, {}};
    if (measure.interval) {
      score.low = measure.interval->low;
      score.high = measure.interval->high;
    }
    scores.push_back(score);
  }
  return scores;
}

}  // namespace

Judge::Judge(const json& recipe, const SweepConfig& config)
    : evaluate_(sweep_evaluation(recipe, config)), judge_(config.judge), reference_(config.reference) {
  if (!judge_.empty()) {
    scorer_.emplace(judge_, reference_, device_of(config.device.value_or(DeviceChoice{})));
  }
}

std::string Judge::key(ledger::Ledger& ledger) const {
  if (scorer_) {
    json key = {{"judge", hash_of_path(judge_, ledger)}};
    if (!reference_.empty()) key["reference"] = hash_of_path(reference_, ledger);
    return hash_of_text(key.dump());
  }
  if (!evaluate_) return "";
  EvaluateConfig config = *evaluate_;
  json key = OptionTable("evaluate", evaluate_options(config)).to_json().at("evaluate");
  for (const char* neutral : {"samples", "out", "format", "threads", "quiet", "batch", "no-cache"}) key.erase(neutral);
  for (const char* name : {"reference", "features", "classifier"}) {
    const std::string given = key.value(name, std::string());
    if (given.empty()) continue;
    json hashes = json::array();
    for (const std::string& path : fs::exists(given) ? std::vector{given} : split(given, ',')) {
      hashes.push_back(fs::exists(path) ? hash_of_path(path, ledger) : path);
    }
    key[name] = hashes.size() == 1 ? hashes[0] : hashes;
  }
  return hash_of_text(key.dump());
}

Scored Judge::score(const fs::path& samples, int64_t images, Progress& progress, const Stop& stop,
                    bool labels_alone) const {
  constexpr int64_t kWide = 512;  // a Frechet distance of more dimensions takes too long to repeat
  const FirstImages first(samples, images);
  Scored scored;
  if (scorer_) {
    const SampleScore score = scorer_->score(first.path());
    if (score.accuracy) scored.scores.push_back({"accuracy", *score.accuracy, {}, {}, {}});
    if (score.frechet) scored.scores.push_back({"fid", *score.frechet, {}, {}, {}});
    return scored;
  }
  EvaluateConfig config = *evaluate_;
  config.samples = first.path().string();
  config.run.alone = true;
  if (labels_alone) {
    config.options.metrics = {evaluation::Metric::kAccuracy};
    if (!config.classifier.path.empty()) config.features.path.clear();
  }
  EvaluateResult result = run_evaluate(config, progress, stop);
  if (!result.evaluation) return scored;
  scored.scores = scores_of(*result.evaluation);
  evaluation::Embedding& drawn = *result.samples;
  const bool read = std::any_of(scored.scores.begin(), scored.scores.end(),
                                [](const ledger::Score& score) { return score.metric == "accuracy"; });
  if (read) {
    const Tensor& logits = drawn.judge_logits.defined() ? drawn.judge_logits : drawn.logits;
    scored.correct = (logits.argmax(1) == drawn.labels).to(at::kDouble);
  }
  const bool compared = drawn.features.defined() && drawn.features.size(1) <= kWide;
  if (result.reference && result.reference->pool.mean.defined()) scored.reference = result.reference->pool;
  if (compared && scored.reference) scored.features = drawn.features;
  return scored;
}

std::string Judge::label(const std::string& metric) const {
  return metric == "fid" && scorer_ ? "Frechet distance" : label_of(metric);
}

}  // namespace sextant::commands
