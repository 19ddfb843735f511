#include <c10/util/StringUtil.h>

#include "common/placement.h"
#include "internal/report/table.h"
#include "internal/runtime/files.h"
#include "internal/training/shared.h"
#include "sextant/report/drawing.h"
#include "sextant/runtime/error.h"
#include "train/folder.h"
#include "train/results.h"
#include "train/setup.h"

namespace sextant::commands {
namespace {

using calibration::Measures;
using nlohmann::json;

report::Table comparison(const Measures& before, const Measures& after) {
  report::Table table;
  table.header = {"", "before", "after"};
  for (const calibration::MeasureField& field : calibration::measure_fields()) {
    if (field.value == &Measures::mce || field.value == &Measures::classwise || field.value == &Measures::entropy) {
      continue;
    }
    const auto cell = [&](const Measures& m) { return report::fixed(field.factor * (m.*field.value), field.digits); };
    table.rows.push_back({field.name, cell(before), cell(after)});
  }
  return table;
}

void write_calibration(const std::filesystem::path& folder, const Measures& before, const Measures& after) {
  write_atomically(folder / "calibration.md",
                   report::format_table(comparison(before, after), report::TableFormat::kMarkdown));
  if (!report::can_draw()) return;
  report::write_svg_and_png(folder / "reliability-before", report::draw(report::Reliability{"Before", before.diagram}));
  report::write_svg_and_png(folder / "reliability-after", report::draw(report::Reliability{"After", after.diagram}));
}

std::string how_tuned(const TrainConfig& config, const TrainSetup& setup, const training::TrainerResult& result) {
  const training::TrainerConfig& t = config.trainer;
  return c10::str("sextant finetune of ", config.model, ": cross entropy + ", config.classification.lambda,
                  " Smooth ECE, ", setup.images->size(), " images, batch ", t.batch, ", ", result.best_step, " steps, ",
                  t.adam.decoupled ? "adamw " : "adam ", t.learning_rate.lr, ", seed ", t.seed);
}

/// The network's weights as they are now.
checkpoint::StateDict weights_of(const networks::Network& network) {
  checkpoint::StateDict weights;
  for (const auto& entry : network.parameters().entries()) weights.set(entry.name, entry.tensor.detach().clone());
  return weights;
}

TrainResult tuned_by(distributed::Group& group, const TrainConfig& config, Progress& progress, const Stop& stop) {
  TrainSetup setup = open_training(config, TrainTask::kFinetune);
  for (const std::string& line : setup.notes) progress.note("note: " + line);
  agree(group, {{"settings", setup.trainer.identity}, {"weights", setup.weights.record()}});
  const TrainFolder folder(config.run.out, setup.trainer.identity, config.run.overwrite);
  if (folder.complete()) return folder.former();
  setup.trainer.identity = folder.identity();
  setup.trainer.replaces = folder.replaces();
  training::Classification objective(setup.network, setup.model, classification_config(config, setup),
                                     setup.validation);
  const Measures before = objective.measure(weights_of(*setup.network), *setup.test);
  const training::TrainerResult tuned =
      training::train(*setup.network, objective, *setup.images, setup.trainer, {}, group, progress, stop);
  if (group.leads()) write_curves(folder.path());
  TrainResult result{tuned.complete, false, tuned.steps, tuned.best_step, {}, {}};
  if (!tuned.complete || !group.leads()) return result;
  result.before = before;
  result.after = objective.measure(tuned.weights, *setup.test);
  write_model(folder.path(), setup, tuned, how_tuned(config, setup, tuned));
  write_calibration(folder.path(), before, *result.after);
  folder.write_record("finetune", setup, tuned,
                      {{"before", calibration::to_json(before)}, {"after", calibration::to_json(*result.after)}});
  return result;
}

}  // namespace

TrainResult run_finetune(const TrainConfig& given, Progress& progress, const Stop& stop) {
  TrainConfig config = given;
  const std::unique_ptr<distributed::Group> group = join_training(config);
  TrainResult result;
  group->run([&] { result = tuned_by(*group, config, progress, stop); });
  return result;
}

std::string finetune_text(const TrainResult& result) {
  if (!result.before || !result.after) return "";
  return report::format_table(comparison(*result.before, *result.after), report::TableFormat::kTerminal);
}

}  // namespace sextant::commands
