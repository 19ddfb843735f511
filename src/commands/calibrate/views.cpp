#include "calibrate/views.h"

#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

/// "500" or "clean images" for messages.
std::string shown_as(const View& view, const Levels* levels) {
  if (!view.level) return "clean images";
  return (view.input == "x0" ? "x0-hat at " : "images at ") + levels->symbol() + " = " + shortest(*view.level);
}

std::vector<Tensor> joined_batches(std::vector<std::vector<Tensor>>& parts) {
  std::vector<Tensor> whole;
  for (std::vector<Tensor>& batches : parts) whole.push_back(at::cat(batches));
  return whole;
}

}  // namespace

Tensor read_images(const Chosen& chosen, std::size_t begin, std::size_t end) {
  const auto count = static_cast<int64_t>(end - begin);
  const int64_t first = chosen.numbers[begin];
  if (chosen.numbers[end - 1] - first == count - 1) return chosen.images->batch(first, count).permute({0, 3, 1, 2});
  std::vector<Tensor> images;
  for (std::size_t i = begin; i < end; ++i) {
    images.push_back(chosen.images->image(chosen.numbers[i]));
    if (images.back().sizes() == images.front().sizes()) continue;
    throw DataError(c10::str(chosen.images->name(chosen.numbers[i]), ": is ", images.back().sizes(),
                             " (channels, height, width), but ", chosen.images->name(first), " is ",
                             images.front().sizes(), "; resize them to one size"));
  }
  return at::stack(images);
}

Viewer::Viewer(const CalibrateConfig& config, std::vector<guidance::Classifier> classifiers, const Levels* levels,
               at::Device device, Progress& progress, const Stop& stop)
    : config_(config),
      classifiers_(std::move(classifiers)),
      levels_(levels),
      device_(device),
      progress_(progress),
      stop_(stop) {}

bool Viewer::each_batch(const std::string& task, const Chosen& chosen, const Show& show) const {
  const at::NoGradGuard no_grad;
  const std::size_t count = chosen.numbers.size();
  progress_.begin(task, static_cast<double>(count), 0, "images");
  for (std::size_t begin = 0; begin < count; begin += static_cast<std::size_t>(config_.batch)) {
    if (stop_.requested()) {
      progress_.end();
      return false;
    }
    const std::size_t end = std::min(count, begin + static_cast<std::size_t>(config_.batch));
    const Tensor x0 = data::to_pixels(read_images(chosen, begin, end), device_);
    const Tensor labels = chosen.labels.slice(0, static_cast<int64_t>(begin), static_cast<int64_t>(end)).to(device_);
    show(x0, labels,
         {chosen.numbers.begin() + static_cast<std::ptrdiff_t>(begin),
          chosen.numbers.begin() + static_cast<std::ptrdiff_t>(end)});
    progress_.update(static_cast<double>(end));
  }
  progress_.end();
  return true;
}

void Viewer::ask(const Tensor& x, const Tensor& t, const View& view, const std::vector<int64_t>& numbers,
                 std::vector<std::vector<Tensor>>& logits) const {
  logits.resize(classifiers_.size());
  for (std::size_t c = 0; c < classifiers_.size(); ++c) {
    const Tensor f = classifiers_[c].logits(x, t, {static_cast<uint64_t>(config_.seed), numbers}).cpu();
    if (!at::isfinite(f).all().item<bool>()) {
      throw NumericError(c10::str("classifier ", config_.classifier.path, " answers ", shown_as(view, levels_),
                                  " with logits that are not finite, among images ", numbers.front(), " to ",
                                  numbers.back(), " of ", config_.data, "; are its weights and --precision right?"));
    }
    logits[c].push_back(f);
  }
}

std::optional<Answers> Viewer::clean(const Chosen& chosen) const {
  const View view{"clean", std::nullopt};
  std::vector<std::vector<Tensor>> logits;
  const bool finished =
      each_batch("clean images", chosen, [&](const Tensor& x0, const Tensor&, const std::vector<int64_t>& numbers) {
        // A noise-aware classifier takes a clean image for one at the first timestep.
        const Tensor t = at::zeros({x0.size(0)}, x0.options().dtype(at::kLong));
        ask(x0, t, view, numbers, logits);
      });
  if (!finished) return std::nullopt;
  return Answers{view, joined_batches(logits)};
}

std::optional<std::vector<Answers>> Viewer::at(double level, const std::vector<std::string>& inputs,
                                               const Chosen& chosen) const {
  std::vector<std::vector<std::vector<Tensor>>> logits(inputs.size());
  const auto show = [&](const Tensor& x0, const Tensor& labels, const std::vector<int64_t>& numbers) {
    const Tensor x_t = levels_->noised(x0, level, numbers);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const View view{inputs[i], level};
      if (inputs[i] == "xt") {
        ask(x_t, levels_->time(x_t, level), view, numbers, logits[i]);
      } else {
        const Tensor clean_time = at::zeros({x0.size(0)}, x0.options().dtype(at::kLong));
        ask(levels_->denoised(x_t, level, labels), clean_time, view, numbers, logits[i]);
      }
    }
  };
  if (!each_batch(levels_->symbol() + " = " + shortest(level), chosen, show)) return std::nullopt;
  std::vector<Answers> answers;
  for (std::size_t i = 0; i < inputs.size(); ++i) answers.push_back({{inputs[i], level}, joined_batches(logits[i])});
  return answers;
}

}  // namespace sextant::commands
