#include "sextant/training/trainer.h"

#include <ATen/core/grad_mode.h>
#include <c10/util/StringUtil.h>

#include "adam.h"
#include "ema.h"
#include "gradient_sum.h"
#include "images/loader.h"
#include "internal/networks/shared_norms.h"
#include "internal/runtime/difference.h"
#include "internal/training/shared.h"
#include "internal/training/snapshots.h"
#include "loss_scale.h"
#include "metrics_log.h"
#include "run_files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"
#include "together.h"
#include "weights.h"

namespace sextant::training {
namespace {

using nlohmann::json;

/// One training: what changes from step to step, and how.
class Run {
 public:
  Run(networks::Network& network, Objective& objective, const TrainingImages& images, const TrainerConfig& config,
      distributed::Group& group)
      : objective_(objective),
        images_(images),
        config_(config),
        group_(group),
        weights_(network, config.compute),
        gradient_(weights_, group),
        adam_(weights_.master(), config.adam),
        ema_(weights_, config.ema),
        scale_(LossScale::of(config.compute)),
        files_(open_files(config, group)) {
    resume();
    if (group.sum(step_) != step_ * group.size()) {
      throw Error("the processes see different checkpoints in " + config.folder.string() +
                  "; the folder has to be one that all machines share");
    }
    if (!group.alone() && !weights_.buffers().empty()) sum_of_norms_ = group.sums_apart();
  }

  TrainerResult operator()(const SampleHook& sample, Progress& progress, const Stop& stop) {
    const int64_t first = step_;
    if (group_.leads()) log_.emplace(files_.metrics(), first, std::move(unlogged_));
    const auto [begin, end] = group_.part(config_.batch);
    Loader loader(images_, config_.augmentation, config_.batch, {begin, end}, config_.seed, first, config_.steps,
                  config_.workers);
    const auto unit = static_cast<double>(config_.batch);
    progress.begin("train", unit * static_cast<double>(config_.steps), unit * static_cast<double>(first), "images");
    double busy = 0;
    if (group_.leads() && !gradient_.note().empty()) progress.note(gradient_.note());
    bool stopped = group_.any(stop.requested());
    while (step_ < config_.steps && !ended_early_ && !stopped && !(group_.alone() && stop.requested())) {
      const double start = steady_seconds();
      group_.at(c10::str("step ", step_ + 1));
      const Taken taken = take(loader.next(), stop.requested());
      stopped = taken.stopped;
      const double seconds = steady_seconds() - start;
      busy += seconds;
      if (log_) files_.check_there();
      if (log_) log_->note(taken.numbers, taken.norm, seconds, config_.batch);
      if (log_ && (step_ % config_.log_every == 0 || step_ == config_.steps)) {
        progress.note(log_->write(step_, config_.steps, taken.learning_rate, scale_.dynamic ? scale_.scale : 0));
      }
      progress.update(unit * static_cast<double>(step_));
      if (config_.validates && epoch_ends()) progress.note(validate());
      if (group_.leads() && config_.sample_every > 0 && step_ % config_.sample_every == 0)
        sample(step_, ema_.state(weights_));
      if (step_ % config_.checkpoint_every == 0) save();
    }
    progress.end();
    const bool complete = step_ == config_.steps || ended_early_;
    if (saved_ != step_) save();
    TrainerResult result;
    result.steps = step_;
    result.complete = complete;
    result.stopped_early = ended_early_;
    if (busy > 0) result.images_per_second = unit * static_cast<double>(step_ - first) / busy;
    if (complete && group_.leads()) take_result(result);
    return result;
  }

 private:
  struct Taken {
    Numbers numbers;
    double norm;
    double learning_rate;
    bool stopped;  ///< some process heard a stop
  };

  /// The gradient of this process's share of the batch, one micro-batch after the other; means of their numbers, as
  /// shares of the whole.
  Numbers backward(const Batch& batch) {
    std::optional<networks::SharedNorms> norms;
    if (sum_of_norms_) norms.emplace(sum_of_norms_);
    const auto parts = parts_of_share(config_, group_, norms.has_value());
    if (group_.alone() && parts.size() == 1) return objective_.backward(batch, scale_.scale);
    Numbers sums;
    for (const auto& [first, last] : parts) {
      if (last == parts.back().end) gradient_.begin();
      const double share = static_cast<double>(last - first) / static_cast<double>(config_.batch);
      Batch part;
      part.whole = batch.whole;
      part.images = batch.images.slice(0, first, last);
      part.number = {batch.number.begin() + first, batch.number.begin() + last};
      if (batch.labels.defined()) part.labels = batch.labels.slice(0, first, last);
      if (batch.answers.defined()) part.answers = batch.answers.slice(0, first, last);
      Numbers numbers = objective_.backward(part, scale_.scale * share);
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i].second *= share;
        if (first > 0) numbers[i].second += sums[i].second;
      }
      sums = std::move(numbers);
    }
    return sums;
  }

  Taken take(const Batch& batch, bool stops) {
    const double learning_rate = config_.learning_rate.at(step_);
    const auto where = [&] {
      return c10::str("at step ", step_ + 1, ", learning rate ", learning_rate, "; ",
                      saved_ > 0 ? c10::str("the checkpoint of step ", saved_, " is good")
                                 : std::string("there is no checkpoint yet"),
                      ". A smaller lr, a longer warmup or clip may help");
    };
    try {
      Taken taken{backward(batch), 0, learning_rate, false};
      gradient_.send_rest();
      objective_.end_batch([this](const Tensor& rows) { return group_.gather(rows); });
      taken.stopped = add_up(taken.numbers, stops, group_);
      for (const auto& [name, value] : taken.numbers) {
        if (!std::isfinite(value)) throw NumericError(c10::str("the ", name, " is ", value));
      }
      const Tensor gradient = gradient_.take(1 / scale_.scale);
      taken.norm = gradient.norm().item<double>();
      if (scale_.update(std::isfinite(taken.norm))) {
        // PyTorch's clip_grad_norm_ adds the small number too.
        const double factor = config_.clip > 0 ? std::min(1.0, config_.clip / (taken.norm + 1e-6)) : 1.0;
        if (factor < 1) gradient.mul_(factor);
        adam_.step(weights_.master(), gradient, learning_rate);
        weights_.publish();
        ema_.update(weights_);
      }
      ++step_;
      return taken;
    } catch (const NumericError& error) {
      throw NumericError(std::string("training diverged: ") + error.what() + " " + where());
    }
  }

  /// Whether the last step was the last of an epoch, or of the training.
  bool epoch_ends() const {
    const int64_t N = images_.size(), B = config_.batch;
    return step_ == config_.steps || step_ * B / N > (step_ - 1) * B / N;
  }

  std::string validate() {
    const checkpoint::StateDict weights = ema_.state(weights_);
    const Numbers numbers = objective_.validate(weights);
    const double value = objective_.criterion(numbers);
    const int64_t epoch = step_ * config_.batch / images_.size();
    // A NaN would stay the best for ever.
    const bool better = std::isfinite(value) && (best_.is_null() || value < best_.at("value").get<double>());
    if (better) {
      best_ = {{"value", value}, {"step", step_}};
      if (group_.leads()) std::filesystem::create_directories(best_file().parent_path());
      if (group_.leads() && config_.keeps_best)
        checkpoint::save_safetensors(best_file(), weights, {{"step", std::to_string(step_)}});
    }
    since_best_ = better ? 0 : since_best_ + 1;
    const bool ends = config_.patience > 0 && since_best_ >= config_.patience;
    ended_early_ = group_.any(group_.leads() && ends);
    if (log_) log_->write_validation(step_, epoch, numbers);
    std::string line = c10::str("epoch ", epoch, ", validation:");
    for (const auto& [name, number] : numbers) line += c10::str(" ", name, " ", report_number(number));
    return line + (better ? " (best)" : "");
  }

  std::filesystem::path best_file() const { return files_.checkpoints() / "best.safetensors"; }

  void save() {
    saved_ = step_;
    if (!group_.leads()) return;
    Snapshot snapshot;
    snapshot.step = step_;
    for (const auto& [name, tensor] : tensors()) snapshot.tensors.set(name, tensor);
    snapshot.facts = {{"identity", config_.identity},    {"adam_steps", adam_.steps},
                      {"average_updates", ema_.updates}, {"loss_scale", scale_.scale},
                      {"good_steps", scale_.good_steps}, {"best", best_},
                      {"since_best", since_best_},       {"ended_early", ended_early_}};
    if (log_) snapshot.facts["unlogged"] = to_json(log_->sums());
    Snapshots(files_.checkpoints()).save(snapshot);
    files_.adopt();
  }

  void resume() {
    const std::optional<Snapshot> snapshot = Snapshots(files_.checkpoints()).newest();
    try {
      if (snapshot) take_over(*snapshot);
    } catch (const json::exception& problem) {
      throw CheckpointError(config_.folder.string() + ": the training's state of step " +
                            std::to_string(snapshot->step) + " is damaged: " + problem.what());
    }
  }

  void take_over(const Snapshot& snapshot) {
    const json& facts = snapshot.facts;
    if (facts.at("identity") != config_.identity) {
      throw UsageError(config_.folder.string() +
                       " holds another training: " + first_difference(facts.at("identity"), config_.identity) +
                       "; choose another out folder, or overwrite it to start anew");
    }
    const at::NoGradGuard no_grad;
    for (const auto& [name, tensor] : tensors()) {
      const Tensor& saved = snapshot.tensors.at(name);
      if (saved.sizes() != tensor.sizes()) throw CheckpointError("the training's state does not fit: " + name);
      Tensor(tensor).copy_(saved);
    }
    step_ = saved_ = snapshot.step;
    adam_.steps = facts.at("adam_steps");
    ema_.updates = facts.at("average_updates");
    scale_.scale = facts.at("loss_scale");
    scale_.good_steps = facts.at("good_steps");
    best_ = facts.at("best");
    if (!best_.is_null()) best_ = {{"value", double{best_.at("value")}}, {"step", int64_t{best_.at("step")}}};
    since_best_ = facts.at("since_best");
    ended_early_ = facts.at("ended_early");
    if (facts.contains("unlogged")) unlogged_ = step_sums_of(facts["unlogged"]);  // not in those of older versions
    weights_.publish();
  }

  /// All tensors of the state, by name.
  std::vector<std::pair<std::string, Tensor>> tensors() {
    std::vector<std::pair<std::string, Tensor>> all = {{"weights", weights_.master()},
                                                       {"adam.first", adam_.first},
                                                       {"adam.second", adam_.second},
                                                       {"average", ema_.flat()}};
    for (std::size_t i = 0; i < weights_.buffers().size(); ++i) {
      const auto& [name, tensor] = weights_.buffers()[i];
      all.emplace_back("buffers." + name, tensor);
      all.emplace_back("average.buffers." + name, ema_.buffers()[i]);
    }
    for (const auto& [name, tensor] : objective_.state()) all.emplace_back("objective." + name, tensor);
    return all;
  }

  void take_result(TrainerResult& result) const {
    const bool best = config_.keeps_best && !best_.is_null();
    result.best_step = best ? best_.at("step").get<int64_t>() : step_;
    result.weights = best ? checkpoint::load(best_file()).tensors : ema_.state(weights_);
  }

  Objective& objective_;
  const TrainingImages& images_;
  const TrainerConfig& config_;
  distributed::Group& group_;
  Weights weights_;
  GradientSum gradient_;
  networks::SumOverProcesses sum_of_norms_;  ///< of several processes that train batch norms
  Adam adam_;
  Ema ema_;
  LossScale scale_;
  RunFiles files_;
  int64_t step_ = 0;   ///< finished
  int64_t saved_ = 0;  ///< of the newest snapshot
  json best_;          ///< {"value", "step"} of the best validation, or null
  int64_t since_best_ = 0;
  bool ended_early_ = false;
  StepSums unlogged_;  ///< of the snapshot
  std::optional<MetricsLog> log_;
};

}  // namespace

TrainerResult train(networks::Network& network, Objective& objective, const TrainingImages& images,
                    const TrainerConfig& config, const SampleHook& sample, Progress& progress, const Stop& stop) {
  distributed::Group alone;
  return train(network, objective, images, config, sample, alone, progress, stop);
}

TrainerResult train(networks::Network& network, Objective& objective, const TrainingImages& images,
                    const TrainerConfig& config, const SampleHook& sample, distributed::Group& group,
                    Progress& progress, const Stop& stop) {
  check(config);
  if (config.batch < group.size()) {
    throw UsageError(c10::str("train: batch ", config.batch, " has no image for each of ", group.size(), " processes"));
  }
  Run run(network, objective, images, config, group);
  return run(sample, progress, stop);
}

}  // namespace sextant::training
