#include "calibrate/conventions.h"
#include "calibrate/data.h"
#include "calibrate/fit.h"
#include "calibrate/report.h"
#include "calibrate/unfinished.h"
#include "common/opened_weights.h"
#include "common/placement.h"
#include "common/prompts.h"
#include "common/record.h"
#include "common/run_folder.h"
#include "drawing/inputs.h"
#include "internal/calibration/caution.h"
#include "internal/models/class_names.h"
#include "internal/models/mixture.h"
#include "internal/runtime/files.h"
#include "internal/runtime/json_file.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

using nlohmann::json;

/// What can be said before a file is opened.
void check(const CalibrateConfig& config) {
  if (config.classifier.path.empty()) {
    throw UsageError("--classifier is needed: a folder with config.json and weights, or a checkpoint file");
  }
  if (config.data.empty()) throw UsageError("--data is needed: labelled images");
  const bool fits = config.fit != FitMethod::kNone;
  if (!fits && !config.save.empty()) throw UsageError("--save needs a --fit: temperature or vector");
  if (!fits && (!config.fit_data.empty() || config.fit_split)) {
    throw UsageError("--fit-data and --fit-split need a --fit: temperature or vector");
  }
  if (fits && !config.softplus_sweep.empty()) {
    throw UsageError("--fit repairs one network; give its --softplus-beta instead of a --softplus-sweep");
  }
  if (!config.softplus_sweep.empty() && config.classifier.softplus_beta > 0) {
    throw UsageError("--softplus-beta and --softplus-sweep contradict each other");
  }
  const bool leveled = !config.levels.empty() || !config.model.path.empty();
  if (config.inputs != LevelInputs::kAuto && !leveled) throw UsageError("--inputs needs --levels or a --model");
  if (config.fit_on != Shown::kClean && !leveled) {
    throw UsageError("--fit-on " + word_of(config.fit_on) + " needs --levels or a --model");
  }
  if (!config.run.out.empty()) check_writable_folder(config.run.out);
  if (config.save.empty()) return;
  if (models::members_of(config.classifier).size() > 1) {
    throw UsageError("--save keeps one classifier; --classifier " + config.classifier.path + " names several");
  }
  check_writable_folder(config.save);
  if (std::filesystem::exists(config.classifier.path) &&
      std::filesystem::equivalent(config.save, config.classifier.path)) {
    throw UsageError("--save " + config.save + " is the folder of the classifier itself; choose another one");
  }
}

/// A classifier under the name it has in the tables.
struct Variant {
  std::string name;
  guidance::Classifier classifier;
};

std::vector<Variant> open_variants(const CalibrateConfig& config, const Tensor& image, models::Placement placement,
                                   Progress& progress) {
  const auto open = [&](double beta) {
    models::ClassifierConfig classifier = config.classifier;
    classifier.softplus_beta = beta;
    classifier.noisy = config.inputs == LevelInputs::kXt;  // of a mixture: its exact posterior of x_t
    return models::open_classifier(classifier, placement, {image.size(0), image.size(1)},
                                   [&](const std::string& line) { progress.note("note: " + line); });
  };
  if (config.softplus_sweep.empty()) return {{"", open(config.classifier.softplus_beta)}};
  std::vector<Variant> variants;
  for (const double beta : parse_numbers("--softplus-sweep", config.softplus_sweep)) {
    config.classifier.kSoftplusBeta.check("--softplus-sweep", "every beta", beta);
    variants.push_back({beta == 0 ? "relu" : "softplus " + shortest(beta), open(beta)});
  }
  return variants;
}

/// What the classifiers are shown at each level.
std::vector<Shown> shown_at_levels(const CalibrateConfig& config, const Levels* levels) {
  if (levels == nullptr) return {};
  if (config.inputs == LevelInputs::kXt) return {Shown::kXt};
  if (levels->denoises()) {
    return config.inputs == LevelInputs::kX0 ? std::vector{Shown::kX0} : std::vector{Shown::kXt, Shown::kX0};
  }
  if (config.inputs == LevelInputs::kAuto) return {Shown::kXt};
  throw UsageError("--inputs x0 needs a --model that estimates the clean images");
}

/// Adds a row for each variant, and for a repaired classifier one before and one after.
void add_rows(const CalibrateConfig& config, const std::vector<Variant>& variants, const Logits& logits,
              const Tensor& labels, CalibrateResult& result) {
  const auto add = [&](const std::string& variant, const Tensor& f) {
    result.rows.push_back(
        {variant, logits.condition.shown, logits.condition.level, measure(f, labels, config.measures)});
  };
  for (std::size_t v = 0; v < variants.size(); ++v) {
    const Tensor& answers = logits.of_classifiers[v];
    const Tensor f = answers.to(at::promoteTypes(answers.scalar_type(), at::kFloat));
    if (!result.fit) {
      add(variants[v].name, f);
      continue;
    }
    add("before", f);
    add("after", result.fit->rescaling(f));
  }
}

/// The mean over the levels of each variant and input, in order of appearance.
std::vector<CalibrateRow> means_of(const std::vector<CalibrateRow>& rows) {
  std::vector<CalibrateRow> means;
  std::vector<double> counts;
  for (const CalibrateRow& row : rows) {
    if (!row.level) continue;
    auto mean = std::find_if(means.begin(), means.end(), [&](const CalibrateRow& other) {
      return other.variant == row.variant && other.input == row.input;
    });
    if (mean == means.end()) {
      means.push_back({row.variant, row.input, std::nullopt, {}});
      counts.push_back(0);
      mean = means.end() - 1;
    }
    counts[static_cast<std::size_t>(mean - means.begin())] += 1;
    mean->measures.count += row.measures.count;
    for (const auto& field : calibration::measure_fields()) mean->measures.*field.value += row.measures.*field.value;
  }
  for (std::size_t m = 0; m < means.size(); ++m) {
    for (const auto& field : calibration::measure_fields()) means[m].measures.*field.value /= counts[m];
  }
  return means;
}

void write_results(const CalibrateConfig& given, const CalibrateResult& result, const std::string& symbol,
                   const OpenedWeights& weights) {
  CalibrateConfig config = given;
  const json record = {{"command", "calibrate"},
                       {"config", OptionTable("calibrate", calibrate_options(config)).to_json()},
                       {"versions", versions_record(config.run.device)},
                       {"weights", weights.record()},
                       {"complete", true},
                       {"calibration", to_json(result)}};
  const std::filesystem::path out = config.run.out;
  write_diagrams(out, result, symbol);
  write_atomically(out / "table.md", calibrate_text(result, Format::kMarkdown));
  write_atomically(out / "table.csv", calibrate_text(result, Format::kCsv));
  write_atomically(out / "calibration.json", json_text(record) + "\n");
}

/// Texts are the classes of a CLIP classifier.
data::NetworkClasses classes_of(const CalibrateConfig& config, const json& description) {
  const models::Prompts& prompts = config.classifier.prompts;
  if (prompts.targets.empty()) return {models::class_count_of(description), models::class_names_of(description)};
  return {static_cast<int64_t>(prompts.targets.size() + prompts.contrast.size()), prompts.targets};
}

CalibrateResult measured_and_fitted(CalibrateConfig& config, distributed::Group& group, Progress& progress,
                                    const Stop& stop) {
  place(config.run);
  set_threads(static_cast<int>(config.run.threads));
  const models::Placement placement = placement_of(config.run, {config.classifier.precision});
  const models::Description description = commands::described(config.classifier);
  if (models::predicts_attributes(description.config)) {
    throw UsageError("--classifier " + config.classifier.path +
                     " judges attributes, each a question of its own; calibration of classes is not measured of it");
  }
  // A TorchScript program need not say how many channels it takes; then it takes those of the images.
  const bool silent = description.config.value("type", "") == "torchscript" &&
                      !description.config.contains("/model/in_channels"_json_pointer);
  const auto channels = description.config.value("/model/in_channels"_json_pointer, int64_t{3});
  const CalibrateData data = open_data(config, silent ? 0 : channels, classes_of(config, description.config));
  for (const std::string& line : data.notes) progress.note("note: " + line);
  const Tensor image = data.measured.images->image(data.measured.numbers.front());
  const bool of_points = models::is_mixture(description.config), points = models::is_mixture_folder(config.data);
  if ((image.size(0) != channels || (of_points && !points)) && !silent) {
    throw UsageError("classifier " + config.classifier.path + " takes " +
                     models::points_or_images(channels, of_points) + ", " + config.data + " has " +
                     models::points_or_images(image.size(0), points));
  }
  const OpenedWeights weights;
  const std::vector<Variant> variants = open_variants(config, image, weights.as("classifier", placement), progress);
  const guidance::Classifier& classifier = variants.front().classifier;
  check_classes(config, config.data, data.measured, classifier.classes);
  if (data.fitted) check_classes(config, data.fitted_on, *data.fitted, classifier.classes);
  const auto levels = open_levels(config, image.sizes().vec(), classifier.uses_time, classifier.classes,
                                  weights.as("model", placement));
  for (const std::string& note : weights.notes()) progress.note(note);
  if (const std::string doubt = doubt_about_input(config, classifier, data.measured, placement); !doubt.empty()) {
    progress.note("note: " + doubt);
  }
  const std::vector<Shown> shown = shown_at_levels(config, levels.get());
  if (config.fit_on == Shown::kX0 && !levels->denoises()) throw UsageError("--fit-on x0 needs a --model");

  std::vector<guidance::Classifier> classifiers;
  classifiers.reserve(variants.size());
  for (const Variant& variant : variants) classifiers.push_back(variant.classifier);
  const LogitsCollector collector(config, classifiers, levels.get(), placement.device, group, progress, stop);
  std::vector<std::string> models = split(config.classifier.path, ',');
  models.push_back(config.model.path);
  const json identity = identity_of(config, with_settings_of(models, weights.record()), data);
  agree(group, identity);
  const UnfinishedCalibration unfinished(config.run.out, identity, classifier.classes);
  CalibrateResult result = unfinished.found();
  const std::size_t conditions = 1 + shown.size() * (levels ? levels->values().size() : 0);
  const std::size_t rows_each = data.fitted ? 2 : variants.size();
  const auto known = [&] { return result.rows.size() / rows_each; };  // conditions
  const auto done = [&] { return static_cast<int64_t>(known()) + (result.fit ? 1 : 0); };
  if (group.sum(done()) != done() * group.size()) {
    throw Error("the processes see different measurements in " + config.run.out +
                "; the folder has to be one that all machines share");
  }
  const auto keep = [&] {
    if (group.leads()) unfinished.keep(result);
  };
  if (result.fit || known() > 0) {
    progress.note(c10::str("continues in ", config.run.out, ": ", result.fit ? "the repair, " : "", known(), " of ",
                           conditions, " conditions were measured before"));
  }
  if (data.fitted && !result.fit) {
    result.fit = fit_repair(config, collector, levels.get(), data);
    if (!result.fit) return {};
    keep();
  }
  if (known() == 0) {
    const auto clean = collector.clean(data.measured);
    if (!clean) return {};
    const std::string doubt = doubt_about_logits(clean->of_classifiers.front());
    if (!doubt.empty()) progress.note("note: " + doubt);
    add_rows(config, variants, *clean, data.measured.labels, result);
    keep();
  }
  const std::string few = calibration::caution_of_bins(data.measured.labels.numel(), config.measures.bins);
  if (!few.empty()) progress.note("note: " + few);
  if (const std::string doubt = doubt_about_accuracy(result.rows.front().measures, classifier.classes);
      !doubt.empty()) {
    progress.note("note: " + doubt);
  }
  for (std::size_t i = (known() - 1) / std::max<std::size_t>(1, shown.size()); levels && i < levels->values().size();
       ++i) {
    const auto noisy = collector.at(levels->values()[i], shown, data.measured);
    if (!noisy) return {};
    for (const Logits& logits : *noisy) add_rows(config, variants, logits, data.measured.labels, result);
    keep();
  }
  result.means = means_of(result.rows);
  result.complete = true;
  if (!group.leads()) return result;
  if (!config.run.out.empty()) write_results(config, result, levels ? levels->symbol() : "t", weights);
  if (!config.save.empty()) {
    models::save_calibrated(config.save, config.classifier, classifier.classes, result.fit->rescaling,
                            fit_remarks(config, result));
  }
  unfinished.remove();
  return result;
}

}  // namespace

CalibrateResult run_calibrate(const CalibrateConfig& given, Progress& progress, const Stop& stop) {
  CalibrateConfig config = given;
  config.classifier.prompts = resolved_prompts(std::move(config.classifier.prompts));
  check(config);
  const std::unique_ptr<distributed::Group> group = group_of(config.run);
  CalibrateResult result;
  group->run([&] { result = measured_and_fitted(config, *group, progress, stop); });
  return result;
}

}  // namespace sextant::commands
