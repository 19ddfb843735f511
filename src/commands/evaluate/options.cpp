#include "common/classifier_options.h"
#include "common/image_options.h"
#include "common/opened_weights.h"
#include "common/run_options.h"
#include "internal/commands/evaluate.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

using Metrics = std::vector<evaluation::Metric>;

/// The word of no metrics, which is what the data allow.
constexpr const char* kAll = "all";

std::vector<std::string> metric_choices() {
  std::vector<std::string> names = names_of(evaluation::metric_words());
  names.insert(names.begin(), kAll);
  return names;
}

std::string text_of(const Metrics& metrics) {
  if (metrics.empty()) return kAll;
  std::vector<std::string> words;
  for (const evaluation::Metric metric : metrics) {
    words.push_back(sextant::word_of(evaluation::metric_words(), metric));
  }
  return joined(words, "+");
}

/// The metrics of a sum of words, none of kAll.
Metrics metrics_of(const std::string& sum) {
  Metrics metrics;
  if (sum == kAll) return metrics;
  for (const std::string& chosen : split(sum, '+')) {
    const evaluation::Metric* const metric = value_of(evaluation::metric_words(), chosen);
    if (metric == nullptr) throw UsageError("--metrics " + sum + ": " + chosen + " is no metric that can be added");
    metrics.push_back(*metric);
  }
  return metrics;
}

}  // namespace

std::vector<OptionGroup> evaluate_options(EvaluateConfig& c) {
  const std::vector<Option> compared = {
      {"--samples", &c.samples, Anything{}, "An .npz of samples, a folder of image files, CIFAR's files or an IDX file",
       "PATH"},
      {"--reference", &c.reference, Anything{},
       "Statistics (.npz with mu and sigma, as of OpenAI, EDM and pytorch-fid, or EDM2's .pkl), or a set of images "
       "like --samples; the inception score, accuracy and ECE alone need none",
       "PATH"},
      {"--features", &c.features.path, Anything{},
       "Feature network: a model folder or Inception's weights; left out it is models/mnist-features for "
       "28x28 images, else Inception's published weights in models/",
       "PATH"},
      {"--features-arch", &c.features.arch, Anything{},
       "Architecture of a --features file that is not Inception's: resnet50, clip-ViT-L/14, torchscript, ...", "NAME"},
      {"--layer", &c.features.layer, Anything{},
       "Layer of an image classifier whose output describes an image, such as avgpool; a wrong name lists "
       "them",
       "NAME"},
      choice("--protocol", &c.options.protocol, evaluation::protocol_words(),
             "Resize and inception score as this tool's; numbers of different protocols do not compare"),
      {"--metrics",
       Choice{[&c] { return text_of(c.options.metrics); },
              [&c](const std::string& sum) { c.options.metrics = metrics_of(sum); }},
       SumOf{metric_choices()}, "What to compute; all is all that the reference allows but fid-infinity", ""},
      {"--save-stats", &c.save_stats, Anything{}, "Write mu and sigma of the samples, to be a --reference later",
       "NPZ"},
      out_option(c.run, "metrics.json, table.md and table.csv; left out nothing is written"),
      format_option(&c.format),
  };
  const std::vector<Option> judged = classifier_rows(
      c.classifier,
      "Network that reads the samples for accuracy and ECE, left out the feature network where that knows the labels");
  const std::vector<Option> how = {
      {"--batch", &c.embedding.batch, c.embedding.kBatch, "Images at a time; changes speed and memory only", ""},
      {"--resize", &c.embedding.resize, Anything{},
       "Take images of several sizes, each resized for the network; without it they are an error", ""},
      {"--no-cache", &c.no_cache, Anything{}, "Do not keep the embedded reference beside its images", ""},
      {"--neighbours", &c.options.neighbours, c.options.kNeighbours, "k of precision and recall", ""},
      {"--kid-subsets", &c.options.kid_subsets, c.options.kKidSubsets, "Subsets of the kernel distance", ""},
      {"--kid-subset-size", &c.options.kid_subset_size, c.options.kKidSubsetSize, "Images in each, at most", ""},
      {"--bootstrap", &c.options.bootstrap, c.options.kBootstrap,
       "Resamples for the intervals of precision, recall and accuracy; 0 is off", ""},
      {"--bootstrap-fid", &c.options.bootstrap_fid, c.options.kBootstrapFid,
       "Resamples for FID's interval, a distance each; -1 is 100 up to 512 dimensions, else none", ""},
      {"--level", &c.options.level, c.options.kLevel, "Level of the intervals", ""},
  };
  const std::vector<Option> reading =
      image_options(&c.embedding.read.size, &c.embedding.read.crop, &c.embedding.skip_bad, &c.embedding.read.cifar100);
  return {{"evaluate", "What to compare, and how",
           appended(appended(appended(appended(compared, weights_rows("features-", &c.features.weights.group,
                                                                      &c.features.weights.prefix, "the --features")),
                                      judged),
                             appended(how, reading)),
                    run_options(c.run, "The feature network's arithmetic"))}};
}

}  // namespace sextant::commands
