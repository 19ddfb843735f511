#include <c10/util/StringUtil.h>

#include "common/run_folder.h"
#include "internal/commands/evaluate.h"
#include "internal/runtime/files.h"
#include "sextant/models/models.h"
#include "sextant/report/table.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

using nlohmann::json;

constexpr const char* kDigitFeatures = "models/mnist-features";
/// As pytorch-fid and torch-fidelity publish Inception's weights.
constexpr const char* kInceptionFiles[] = {"models/pt_inception-2015-12-05-6726825d.pth",
                                           "models/weights-inception-2015-12-05-6726825d.pth"};

/// The words of "a+b".
std::vector<std::string> words_of(const std::string& sum) {
  std::vector<std::string> words;
  for (size_t first = 0; first < sum.size();) {
    const size_t end = std::min(sum.find('+', first), sum.size());
    words.push_back(sum.substr(first, end - first));
    first = end + 1;
  }
  return words;
}

bool needs_features_of_reference(const std::vector<std::string>& metrics) {
  const auto statistics_do = [](const std::string& key) {
    return key == "fid" || key == "sfid" || key == "is" || key == "accuracy" || key == "fid-infinity";
  };
  return metrics.empty() || !std::all_of(metrics.begin(), metrics.end(), statistics_do);
}

/// UsageError unless the samples' labels are classes of --classifier.
void check_labels(const metrics::Embedding& samples, const guidance::Classifier& classifier,
                  const EvaluateConfig& config) {
  if (!samples.labels.defined())
    throw UsageError("--classifier needs labelled samples; " + config.samples + " has no labels");
  const int64_t low = samples.labels.min().item<int64_t>();
  const int64_t high = samples.labels.max().item<int64_t>();
  if (low >= 0 && high < classifier.num_classes()) return;
  throw UsageError(c10::str("classifier ", config.classifier, " has classes 0-", classifier.num_classes() - 1, ", ",
                            config.samples, " has label ", low < 0 ? low : high));
}

/// The first image, or with `skip_bad` the first that can be read.
Tensor first_image(const data::ImageSet& images, bool skip_bad) {
  for (int64_t i = 0; skip_bad && i + 1 < images.size(); ++i) {
    try {
      return images.image(i);
    } catch (const DataError&) {
      continue;
    }
  }
  return images.image(skip_bad ? images.size() - 1 : 0);
}

/// --features, or the bundled network where the samples are digits, or Inception's weights where they lie ready.
std::filesystem::path features_of(const EvaluateConfig& config) {
  if (!config.features.empty()) return config.features;
  const auto images = data::open_images(config.samples);
  const Tensor first = first_image(*images, config.skip_bad);
  const bool digits = first.size(1) == 28 && first.size(2) == 28;
  if (digits && std::filesystem::exists(kDigitFeatures)) return kDigitFeatures;
  for (const char* file : kInceptionFiles) {
    if (!digits && std::filesystem::exists(file)) return file;
  }
  throw UsageError(
      digits ? std::string("--features is needed: the network for 28x28 images, ") + kDigitFeatures +
                   ", is not below this folder"
             : "Inception's weights are missing: put pt_inception-2015-12-05-6726825d.pth (of pytorch-fid) or "
               "weights-inception-2015-12-05-6726825d.pth (of torch-fidelity) into models/, or give the file by "
               "--features");
}

std::vector<std::string> metric_choices() {
  std::vector<std::string> names = {"all"};
  const std::vector<std::string> keys = metrics::metric_names();
  names.insert(names.end(), keys.begin(), keys.end());
  return names;
}

/// What a long run would fail at in the end.
void check(const EvaluateConfig& config) {
  if (config.samples.empty())
    throw UsageError("SAMPLES are needed: an .npz of samples, the folder of a run or a folder of images");
  if (config.reference.empty() && config.save_stats.empty()) {
    throw UsageError("--reference is needed: statistics (.npz) or images to compare with; or --save-stats FILE");
  }
  if (!config.save_stats.empty()) {
    const std::filesystem::path folder = std::filesystem::absolute(config.save_stats).parent_path();
    check_writable_folder(folder);
  }
  if (!config.out.empty()) check_writable_folder(config.out);
}

std::shared_ptr<const guidance::Classifier> classifier_of(const EvaluateConfig& config,
                                                          const metrics::FeatureExtractor& extractor,
                                                          models::Placement placement) {
  if (config.classifier.empty()) return nullptr;
  models::ClassifierOptions options;
  options.input = config.classifier_input;
  options.input_size = config.classifier_size;
  options.channels = extractor.network->channels();
  return models::open_classifier(config.classifier, config.classifier_arch, options, placement);
}

int digits_of(const std::string& key) { return key == "kid" ? 6 : 4; }

report::Table table_of(const metrics::Evaluation& evaluation) {
  report::Table table;
  table.header = {"metric", "value", "deviation", report::fixed(100 * evaluation.level, 0) + " % low", "high"};
  for (const metrics::Measure& m : evaluation.measures) {
    const int digits = digits_of(m.key);
    table.rows.push_back({m.label, report::fixed(m.value, digits),
                          m.deviation ? report::fixed(*m.deviation, digits) : "",
                          m.interval ? report::fixed(m.interval->low, digits) : "",
                          m.interval ? report::fixed(m.interval->high, digits) : ""});
  }
  return table;
}

/// What was compared, as name and text.
std::vector<std::pair<std::string, std::string>> facts_of(const metrics::Evaluation& e) {
  const auto images = [](const std::string& source, int64_t count) {
    return count > 0 ? source + " (" + std::to_string(count) + " images)" : source;
  };
  std::vector<std::pair<std::string, std::string>> facts = {
      {"samples", images(e.sample_source, e.sample_count)},
      {"reference", images(e.reference_source, e.reference_count)},
      {"features", c10::str(e.extractor, ", ", e.dimensions, " dimensions, ", e.extractor_hash.substr(0, 12))},
      {"protocol", metrics::name_of(e.protocol)}};
  if (!e.classifier.empty()) facts.emplace_back("classifier", e.classifier);
  return facts;
}

std::string markdown_of(const metrics::Evaluation& evaluation) {
  std::string text;
  for (const auto& [name, fact] : facts_of(evaluation)) text += c10::str("* ", name, ": ", fact, "\n");
  text += "\n";
  text += report::format_table(table_of(evaluation), report::TableFormat::kMarkdown);
  for (const std::string& note : evaluation.notes) text += c10::str("\n", note, "\n");
  return text;
}

void write_results(const EvaluateConfig& given, const metrics::Evaluation& evaluation) {
  EvaluateConfig config = given;
  const json versions = {
      {"sextant", version()}, {"libtorch", libtorch_version()}, {"device", config.device}, {"threads", threads()}};
  // No run.json: the folder may be that of the run whose samples these are.
  json numbers = metrics::to_json(evaluation);
  numbers["command"] = "evaluate";
  numbers["config"] = OptionTable("evaluate", evaluate_options(config)).to_json();
  numbers["versions"] = versions;
  const std::filesystem::path out = config.out;
  write_atomically(out / "table.md", markdown_of(evaluation));
  write_atomically(out / "table.csv", report::format_table(table_of(evaluation), report::TableFormat::kCsv));
  write_atomically(out / "metrics.json", numbers.dump(2) + "\n");
}

}  // namespace

std::vector<OptionGroup> evaluate_options(EvaluateConfig& c) {
  return {
      {"evaluate",
       "What to compare, and how",
       {
           {"--samples", &c.samples, Anything{},
            "An .npz of samples, a folder of PNG and JPEG files, CIFAR-10's binary version or an IDX file", "PATH"},
           {"--reference", &c.reference, Anything{},
            "Statistics (.npz with mu and sigma, as of OpenAI, EDM and pytorch-fid), or a set of images like --samples",
            "PATH"},
           {"--features", &c.features, Anything{},
            "Feature network: a model folder or Inception's weights; left out it is models/mnist-features for 28x28 "
            "images, else Inception's published weights in models/",
            "PATH"},
           {"--features-arch", &c.features_arch, Anything{},
            "Architecture of a --features file that is not Inception's: resnet50, clip-ViT-L/14, torchscript, ...",
            "NAME"},
           {"--layer", &c.layer, Anything{},
            "Layer of an image classifier whose output describes an image, such as avgpool; a wrong name lists them",
            "NAME"},
           {"--protocol", &c.protocol, OneOf{metrics::protocol_names()},
            "Resize and inception score as this tool's; numbers of different protocols do not compare", ""},
           {"--metrics", &c.metrics, SumOf{metric_choices()},
            "What to compute; all is all that the reference allows but fid-infinity", ""},
           {"--save-stats", &c.save_stats, Anything{}, "Write mu and sigma of the samples, to be a --reference later",
            "NPZ"},
           {"--out", &c.out, Anything{}, "Folder for metrics.json, table.md and table.csv; left out nothing is written",
            "DIR"},
           {"--format", &c.format, OneOf{{"table", "md", "csv", "json"}}, "What is printed", ""},
           {"--classifier", &c.classifier, Anything{},
            "Network that reads the samples for accuracy and ECE: folder or checkpoint file; left out it is the "
            "feature "
            "network, where that knows the labels",
            "PATH"},
           {"--classifier-arch", &c.classifier_arch, Anything{}, "Architecture of its checkpoint file", "NAME"},
           {"--classifier-input", &c.classifier_input, OneOf{{"config", "raw", "half", "imagenet"}},
            "What it sees of the pixels: as its config says, [-1, 1], [0, 1], or ImageNet's mean and deviation", ""},
           {"--classifier-size", &c.classifier_size, Range{0, 4096},
            "Images are resized to this many pixels square for it; 0 leaves them", ""},
           {"--batch", &c.batch, Range{1, 1e6}, "Images at a time; changes speed and memory only", ""},
           {"--skip-bad", &c.skip_bad, Anything{}, "Leave out images that cannot be read, and count them", ""},
           {"--resize", &c.resize, Anything{},
            "Take images of several sizes, each resized for the network; without it they are an error", ""},
           {"--no-cache", &c.no_cache, Anything{}, "Do not keep the embedded reference beside its images", ""},
           {"--neighbours", &c.neighbours, Range{1, 1e6}, "k of precision and recall", ""},
           {"--kid-subsets", &c.kid_subsets, Range{1, 1e6}, "Subsets of the kernel distance", ""},
           {"--kid-subset-size", &c.kid_subset_size, Range{2, 1e6}, "Images in each, at most", ""},
           {"--bootstrap", &c.bootstrap, Range{0, 1e6},
            "Resamples for the intervals of precision, recall and accuracy; 0 is off", ""},
           {"--bootstrap-fid", &c.bootstrap_fid, Range{-1, 1e6},
            "Resamples for FID's interval, a distance each; -1 is 100 up to 512 dimensions, else none", ""},
           {"--level", &c.level, Range{0.5, 0.9999}, "Level of the intervals", ""},
           {"--device", &c.device, Anything{}, "cpu, cuda or cuda:INDEX, for the feature network", "NAME"},
           {"--precision", &c.precision, OneOf{{"fp32", "bf16", "fp16"}}, "The feature network's arithmetic", ""},
           {"--threads", &c.threads, Range{0, 4096}, "CPU threads; 0 takes every core", ""},
           {"--quiet", &c.quiet, Anything{}, "No progress, only notes and errors", ""},
       }}};
}

EvaluateResult run_evaluate(const EvaluateConfig& config, Progress& progress, const Stop& stop) {
  check(config);
  set_threads(static_cast<int>(config.threads));
  const at::Device device = parse_device(config.device);
  metrics::EvaluateOptions options;
  options.protocol = metrics::parse_protocol(config.protocol);
  if (config.metrics != "all") options.metrics = words_of(config.metrics);
  options.neighbours = config.neighbours;
  options.kid_subsets = config.kid_subsets;
  options.kid_subset_size = config.kid_subset_size;
  options.resamples = config.bootstrap;
  options.frechet_resamples = config.bootstrap_fid;
  options.level = config.level;
  const models::Placement placement{device, parse_precision(config.precision, device)};
  const metrics::FeatureExtractor extractor = metrics::open_extractor(
      features_of(config), options.protocol, placement.device, placement.precision, config.features_arch, config.layer);

  const metrics::EmbedOptions embedding{config.batch, config.skip_bad, /*keep_features=*/true,
                                        classifier_of(config, extractor, placement), config.resize};
  options.judge_name = config.classifier;
  const auto images = metrics::open_images_for(extractor, config.samples);
  const auto samples = metrics::embed(*images, config.samples, extractor, embedding, progress, stop);
  if (!samples) return {};
  if (!config.save_stats.empty()) {
    metrics::save_statistics(config.save_stats, *samples, extractor, /*with_features=*/false);
  }
  if (config.reference.empty()) return {true, std::nullopt};

  const metrics::ReferenceOptions wanted{needs_features_of_reference(options.metrics), !config.no_cache};
  const auto reference = metrics::open_reference(config.reference, extractor, embedding, wanted, progress, stop);
  if (!reference) return {};
  if (embedding.classifier) check_labels(*samples, *embedding.classifier, config);
  // Inception's 1008 classes are nobody's labels; the small networks know the classes of their data set.
  options.judge_labels = samples->labels.defined() && samples->logits.defined() && !extractor.is_inception() &&
                         samples->labels.max().item<int64_t>() < samples->logits.size(1) &&
                         samples->labels.min().item<int64_t>() >= 0;
  auto evaluation = metrics::evaluate(*samples, *reference, extractor, options, progress, stop);
  if (!evaluation) return {};
  if (!config.out.empty()) write_results(config, *evaluation);
  return {true, std::move(evaluation)};
}

std::string evaluation_text(const metrics::Evaluation& evaluation, const std::string& format) {
  if (format == "json") return metrics::to_json(evaluation).dump(2) + "\n";
  if (format == "md") return markdown_of(evaluation);
  if (format == "csv") return report::format_table(table_of(evaluation), report::TableFormat::kCsv);
  std::string text;
  for (const auto& [name, fact] : facts_of(evaluation)) {
    text += c10::str(name, std::string(12 - name.size(), ' '), fact, "\n");
  }
  text += "\n";
  text += report::format_table(table_of(evaluation), report::TableFormat::kTerminal);
  for (const std::string& note : evaluation.notes) text += c10::str("note: ", note, "\n");
  return text;
}

}  // namespace sextant::commands
