#include "run/out_folder.h"
#include "runtime/files.h"
#include "sextant/error.h"
#include "sextant/evaluate_run.h"
#include "sextant/report.h"
#include "sextant/runtime.h"

namespace sextant::run {
namespace {

using nlohmann::json;

constexpr const char* kDigitFeatures = "models/mnist-features";

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

/// --features, or the bundled network where the samples are digits.
std::filesystem::path features_of(const EvaluateConfig& config) {
  if (!config.features.empty()) return config.features;
  const auto images = data::open_images(config.samples);
  const Tensor first = first_image(*images, config.skip_bad);
  const bool digits = first.size(1) == 28 && first.size(2) == 28;
  if (digits && std::filesystem::exists(kDigitFeatures)) return kDigitFeatures;
  throw UsageError(
      digits ? std::string("--features is needed: the network for 28x28 images, ") + kDigitFeatures +
                   ", is not below this folder"
             : "--features is needed: Inception's weights (pt_inception-2015-12-05.pth of pytorch-fid, or the same as "
               ".safetensors)");
}

/// What a long run would fail at in the end.
void check(const EvaluateConfig& config) {
  if (config.samples.empty()) throw UsageError("--samples is needed: an .npz of samples or a folder of images");
  if (config.reference.empty() && config.save_stats.empty()) {
    throw UsageError("--reference is needed: statistics (.npz) or images to compare with; or --save-stats FILE");
  }
  if (!config.save_stats.empty()) {
    const std::filesystem::path folder = std::filesystem::absolute(config.save_stats).parent_path();
    check_writable_folder(folder);
  }
  if (!config.out.empty()) check_writable_folder(config.out);
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
  return {{"samples", images(e.sample_source, e.sample_count)},
          {"reference", images(e.reference_source, e.reference_count)},
          {"features",
           e.extractor + ", " + std::to_string(e.dimensions) + " dimensions, " + e.extractor_hash.substr(0, 12)},
          {"protocol", metrics::name_of(e.protocol)}};
}

std::string markdown_of(const metrics::Evaluation& evaluation) {
  std::string text;
  for (const auto& [name, fact] : facts_of(evaluation))
    text.append("* ").append(name).append(": ").append(fact).append("\n");
  text += "\n" + report::format_table(table_of(evaluation), report::TableFormat::kMarkdown);
  for (const std::string& note : evaluation.notes) text.append("\n").append(note).append("\n");
  return text;
}

void write_results(const EvaluateConfig& given, const metrics::Evaluation& evaluation) {
  EvaluateConfig config = given;
  const json record = {
      {"command", "evaluate"},
      {"config", OptionTable("evaluate", evaluate_options(config)).to_json()},
      {"versions",
       {{"sextant", version()}, {"libtorch", libtorch_version()}, {"device", config.device}, {"threads", threads()}}},
      {"complete", true},
      {"evaluation", metrics::to_json(evaluation)}};
  const std::filesystem::path out = config.out;
  write_atomically(out / "table.md", markdown_of(evaluation));
  write_atomically(out / "table.csv", report::format_table(table_of(evaluation), report::TableFormat::kCsv));
  write_atomically(out / "run.json", record.dump(2) + "\n");
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
            "images",
            "PATH"},
           {"--protocol", &c.protocol, OneOf{metrics::protocol_names()},
            "Resize and inception score as this tool's; numbers of different protocols do not compare", ""},
           {"--metrics", &c.metrics, SumOf{metrics::metric_names()},
            "What to compute; left out it is all that the reference allows but fid-infinity", ""},
           {"--save-stats", &c.save_stats, Anything{}, "Write mu and sigma of the samples, to be a --reference later",
            "NPZ"},
           {"--out", &c.out, Anything{}, "Folder for table.md, table.csv and run.json; left out nothing is written",
            "DIR"},
           {"--json", &c.json, Anything{}, "Print JSON instead of a table", ""},
           {"--batch", &c.batch, Range{1, 1e6}, "Images at a time; changes speed and memory only", ""},
           {"--skip-bad", &c.skip_bad, Anything{}, "Leave out images that cannot be read, and count them", ""},
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
  options.metrics = words_of(config.metrics);
  options.neighbours = config.neighbours;
  options.kid_subsets = config.kid_subsets;
  options.kid_subset_size = config.kid_subset_size;
  options.resamples = config.bootstrap;
  options.frechet_resamples = config.bootstrap_fid;
  options.level = config.level;
  const metrics::FeatureExtractor extractor =
      metrics::open_extractor(features_of(config), options.protocol, device, parse_precision(config.precision, device));

  const metrics::EmbedOptions embedding{config.batch, config.skip_bad, /*keep_features=*/true};
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
  // Inception's 1008 classes are nobody's labels; the small networks know the classes of their data set.
  options.judge_labels = samples->labels.defined() && samples->logits.defined() && !extractor.is_inception() &&
                         samples->labels.max().item<int64_t>() < samples->logits.size(1) &&
                         samples->labels.min().item<int64_t>() >= 0;
  auto evaluation = metrics::evaluate(*samples, *reference, extractor, options, progress, stop);
  if (!evaluation) return {};
  if (!config.out.empty()) write_results(config, *evaluation);
  return {true, std::move(evaluation)};
}

std::string evaluation_text(const metrics::Evaluation& evaluation) {
  std::string text;
  for (const auto& [name, fact] : facts_of(evaluation)) text += name + std::string(12 - name.size(), ' ') + fact + "\n";
  text += "\n" + report::format_table(table_of(evaluation), report::TableFormat::kTerminal);
  for (const std::string& note : evaluation.notes) text += "note: " + note + "\n";
  return text;
}

}  // namespace sextant::run
