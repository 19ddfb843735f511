#include "calibrate/conventions.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "internal/report/table.h"

namespace sextant::commands {
namespace {

/// Images from the whole set: the first ones may all be of one class.
Subset spread(const Subset& all) {
  constexpr std::size_t kMost = 100;
  const std::size_t count = std::min(kMost, all.numbers.size());
  std::vector<int64_t> places;
  Subset sample{all.images, {}, {}};
  for (std::size_t i = 0; i < count; ++i) {
    places.push_back(static_cast<int64_t>(i * all.numbers.size() / count));
    sample.numbers.push_back(all.numbers[static_cast<std::size_t>(places.back())]);
  }
  sample.labels = all.labels.index_select(0, at::tensor(places, at::kLong));
  return sample;
}

std::string percent(double share) { return report::fixed(100 * share, 1) + " %"; }

}  // namespace

std::string doubt_about_input(const CalibrateConfig& config, const guidance::Classifier& classifier,
                              const Subset& subset, models::Placement placement) {
  constexpr double kGood = 0.9;  // nothing can be much better
  if (classifier.uses_time || subset.numbers.empty()) return "";
  const at::NoGradGuard no_grad;
  const Subset sample = spread(subset);
  const Tensor x0 = data::to_pixels(read_images(sample, 0, sample.numbers.size()), placement.device);
  if (x0.size(2) == 1) return "";  // points, which are read as they are
  const Tensor labels = sample.labels.to(placement.device);
  const auto accuracy_of = [&](const guidance::Classifier& network) {
    const Tensor f = network.logits(x0, {}, {static_cast<uint64_t>(config.seed), sample.numbers});
    return f.argmax(1).eq(labels).to(at::kDouble).mean().item<double>();
  };
  const double own = accuracy_of(classifier);
  if (own >= kGood) return "";
  placement.opened = {};  // these are no networks of the run
  double best = own;
  std::string word;
  for (const auto& [name, input] : models::classifier_input_words()) {
    if (input == models::ClassifierInput::kConfig || input == config.classifier.input) continue;
    // Means and deviations of three channels fit no others.
    const bool of_three = input == models::ClassifierInput::kImageNet || input == models::ClassifierInput::kClip;
    if (of_three && x0.size(1) != 3) continue;
    models::ClassifierConfig other = config.classifier;
    other.input = input;
    const double accuracy = accuracy_of(models::open_classifier(other, placement, {x0.size(1), x0.size(2)}));
    if (accuracy <= best) continue;
    best = accuracy;
    word = name;
  }
  // Two deviations of the difference of two shares, at most.
  const double much = std::max(0.1, 2 * std::sqrt(0.5 / static_cast<double>(sample.numbers.size())));
  if (best - own < much) return "";
  return c10::str("of ", sample.numbers.size(), " images spread over ", config.data, " the classifier reads ",
                  percent(own), " rightly as it sees them now, and ", percent(best), " with --classifier-input ", word,
                  "; that is nearer to how it was trained");
}

std::string doubt_about_accuracy(const calibration::Measures& measures, int64_t classes) {
  constexpr int64_t kFew = 20;
  if (classes < 2 || measures.count < kFew) return "";
  const double guess = 1 / static_cast<double>(classes);
  const double deviation = std::sqrt(guess * (1 - guess) / static_cast<double>(measures.count));
  if (measures.accuracy > guess + 3 * deviation) return "";
  return c10::str("an accuracy of ", percent(measures.accuracy), " is about that of guessing among ", classes,
                  " classes (", percent(guess), "); are the labels, the weights and --classifier-input right?");
}

std::string doubt_about_logits(const Tensor& f) {
  constexpr double kRounding = 1e-2;  // of bfloat16
  if (f.size(1) < 2 || f.lt(0).any().item<bool>()) return "";
  if ((f.to(at::kDouble).sum(1) - 1).abs().gt(kRounding).any().item<bool>()) return "";
  return "the classifier's outputs are not below 0 and sum to 1 for every image, as probabilities do; they are taken "
         "for logits, so confidences are wrong and guidance weak: leave the softmax at its end out";
}

}  // namespace sextant::commands
