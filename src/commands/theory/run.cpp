#include <numeric>

#include "common/record.h"
#include "common/run_folder.h"
#include "internal/commands/theory.h"
#include "internal/models/mixture.h"
#include "internal/runtime/files.h"
#include "sextant/report/drawing.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/noise.h"
#include "theory/numbers.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

TheoryPoints theory_points(const TheoryConfig& config) {
  const models::Description description = models::describe(config.model);
  if (!models::is_mixture(description.config)) {
    throw UsageError("--model " + config.model + " is no mixture; theory needs one, where everything is exact");
  }
  const models::Points points = models::draw_points(description, config.count, config.seed);
  std::vector<int64_t> indices(static_cast<std::size_t>(config.count));
  std::iota(indices.begin(), indices.end(), int64_t{0});
  const Tensor x0 = points.x.flatten(1).to(at::kDouble);
  constexpr uint64_t kDraw = 2;  // the points took the ones before
  return {models::open_mixture(description, at::kCPU), x0, points.labels,
          Noise(config.seed, indices, {x0.size(1)}).normal(kDraw).to(at::kDouble)};
}

report::Table divergence_table(const json& rows) {
  report::Table table;
  table.header = {"divergence", "mean D", "alpha |grad D| / |grad log p|"};
  for (const json& row : rows) {
    table.rows.push_back({row.at("divergence").get<std::string>(), report::fixed(row.at("value").get<double>(), 4),
                          report::fixed(row.at("relative_gradient").get<double>(), 4)});
  }
  return table;
}

}  // namespace

TheoryResult run_theory(const TheoryConfig& given, const Stop&) {
  TheoryConfig config = given;
  if (config.model.empty()) throw UsageError("--model is needed: the folder of a mixture");
  const json settings = OptionTable("theory", theory_options(config)).to_json();
  const std::filesystem::path out = config.run.out;
  check_writable_folder(out);
  set_threads(static_cast<int>(config.run.threads));
  const TheoryPoints points = theory_points(config);
  TheoryResult result;
  result.record = {{"command", "theory"},
                   {"config", settings},
                   {"versions", versions_record("")},
                   {"complete", true},
                   {"components", points.mixture.num_components()},
                   {"dimension", points.mixture.dimension()},
                   {"gamma_alpha", gamma_over("alpha", points, config)},
                   {"gamma_epsilon", gamma_over("epsilon", points, config)},
                   {"calibration", calibration_error(points)},
                   {"direction", directions(points)},
                   {"divergences", divergence_strengths(points, config)}};
  result.table = divergence_table(result.record["divergences"]);
  write_atomically(out / "theory.json", result.record.dump(2) + "\n");
  if (report::can_draw()) draw_theory(result.record, config);
  return result;
}

}  // namespace sextant::commands
