#include "calibrate/logits.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>

#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

/// "clean images" or "x0-hat at t = 500", for messages.
std::string described(const Condition& condition, const Levels* levels) {
  if (!condition.level) return "clean images";
  return (condition.shown == Shown::kX0 ? "x0-hat at " : "images at ") + levels->symbol() + " = " +
         shortest(*condition.level);
}

/// A noise-aware classifier takes a clean image for one at the first timestep.
Tensor first_time(const Tensor& x0) { return at::zeros({x0.size(0)}, x0.options().dtype(at::kLong)); }

}  // namespace

Tensor read_images(const Subset& subset, std::size_t begin, std::size_t end) {
  const auto count = static_cast<int64_t>(end - begin);
  const int64_t first = subset.numbers[begin];
  if (subset.numbers[end - 1] - first == count - 1) return subset.images->batch(first, count).permute({0, 3, 1, 2});
  std::vector<Tensor> images;
  for (std::size_t i = begin; i < end; ++i) {
    images.push_back(subset.images->image(subset.numbers[i]));
    if (images.back().sizes() == images.front().sizes()) continue;
    throw DataError(c10::str(subset.images->name(subset.numbers[i]), ": is ", images.back().sizes(),
                             " (channels, height, width), but ", subset.images->name(first), " is ",
                             images.front().sizes(), "; ", data::kOneSizeAdvice));
  }
  return at::stack(images);
}

LogitsCollector::LogitsCollector(const CalibrateConfig& config, std::vector<guidance::Classifier> classifiers,
                                 const Levels* levels, at::Device device, distributed::Group& group, Progress& progress,
                                 const Stop& stop)
    : config_(config),
      classifiers_(std::move(classifiers)),
      levels_(levels),
      device_(device),
      group_(group),
      progress_(progress),
      stop_(stop) {}

bool LogitsCollector::each_batch(const std::string& task, const Subset& subset, const VisitBatch& visit) const {
  const at::NoGradGuard no_grad;
  const std::size_t all = subset.numbers.size();
  const auto rank = static_cast<std::size_t>(group_.rank()), size = static_cast<std::size_t>(group_.size());
  const std::size_t first = all * rank / size, count = all * (rank + 1) / size;
  progress_.begin(task, static_cast<double>(all), 0, "images");
  bool stopped = stop_.requested();
  for (std::size_t begin = first; begin < count && !stopped; begin += static_cast<std::size_t>(config_.batch)) {
    group_.at(task + ", images " + std::to_string(begin) + " and on");
    const std::size_t end = std::min(count, begin + static_cast<std::size_t>(config_.batch));
    const Tensor x0 = data::to_pixels(read_images(subset, begin, end), device_);
    const Tensor labels = subset.labels.slice(0, static_cast<int64_t>(begin), static_cast<int64_t>(end)).to(device_);
    visit(x0, labels,
          {subset.numbers.begin() + static_cast<std::ptrdiff_t>(begin),
           subset.numbers.begin() + static_cast<std::ptrdiff_t>(end)});
    progress_.update(static_cast<double>((end - first) * size));  // the others go as fast
    stopped = stop_.requested();
  }
  progress_.end();
  return group_.sum(stopped ? 1 : 0) == 0;
}

std::vector<Tensor> LogitsCollector::joined(const Batches& batches) const {
  std::vector<Tensor> whole;
  for (std::size_t c = 0; c < classifiers_.size(); ++c) {
    whole.push_back(group_.gather(batches.empty() ? Tensor() : at::cat(batches[c])));
  }
  return whole;
}

void LogitsCollector::collect(const Tensor& x, const Tensor& t, const Condition& condition,
                              const std::vector<int64_t>& numbers, Batches& batches) const {
  batches.resize(classifiers_.size());
  for (std::size_t c = 0; c < classifiers_.size(); ++c) {
    const Tensor f = classifiers_[c].logits(x, t, {static_cast<uint64_t>(config_.seed), numbers}).cpu();
    if (!at::isfinite(f).all().item<bool>()) {
      throw NumericError(c10::str("classifier ", config_.classifier.path, " answers ", described(condition, levels_),
                                  " with logits that are not finite, among images ", numbers.front(), " to ",
                                  numbers.back(), " of ", config_.data, "; are its weights and --precision right?"));
    }
    batches[c].push_back(f);
  }
}

std::optional<Logits> LogitsCollector::clean(const Subset& subset) const {
  const Condition condition;
  Batches batches;
  const bool finished =
      each_batch("clean images", subset, [&](const Tensor& x0, const Tensor&, const std::vector<int64_t>& numbers) {
        collect(x0, first_time(x0), condition, numbers, batches);
      });
  if (!finished) return std::nullopt;
  return Logits{condition, joined(batches)};
}

std::optional<std::vector<Logits>> LogitsCollector::at(double level, const std::vector<Shown>& shown,
                                                       const Subset& subset) const {
  std::vector<Batches> batches(shown.size());
  const auto visit = [&](const Tensor& x0, const Tensor& labels, const std::vector<int64_t>& numbers) {
    const Tensor x_t = levels_->noised(x0, level, numbers);
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const Condition condition{shown[i], level};
      if (shown[i] == Shown::kXt) {
        collect(x_t, levels_->time(x_t, level), condition, numbers, batches[i]);
      } else {
        collect(levels_->denoised(x_t, level, labels), first_time(x0), condition, numbers, batches[i]);
      }
    }
  };
  if (!each_batch(levels_->symbol() + " = " + shortest(level), subset, visit)) return std::nullopt;
  std::vector<Logits> logits;
  for (std::size_t i = 0; i < shown.size(); ++i) logits.push_back({{shown[i], level}, joined(batches[i])});
  return logits;
}

}  // namespace sextant::commands
