#include <algorithm>
#include <numeric>

#include "common/record.h"
#include "common/run_folder.h"
#include "internal/commands/theory.h"
#include "internal/models/mixture.h"
#include "internal/runtime/files.h"
#include "internal/runtime/text.h"
#include "sextant/report/drawing.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/noise.h"
#include "theory/numbers.h"

namespace sextant::commands {

using nlohmann::json;

namespace {

TheoryPoints theory_points(const std::string& model, const TheoryConfig& config) {
  const models::Description description = models::describe(model);
  if (!models::is_mixture(description.config)) {
    throw UsageError("--model " + model + " is no mixture; theory needs one, where everything is exact");
  }
  const models::Points points = models::draw_points(description, config.count, config.seed);
  std::vector<int64_t> indices(static_cast<std::size_t>(config.count));
  std::iota(indices.begin(), indices.end(), int64_t{0});
  const Tensor x0 = points.x.flatten(1).to(at::kDouble);
  constexpr uint64_t kDraw = 2;  // the points took the ones before
  return {models::open_mixture(description, at::kCPU), x0, points.labels,
          Noise(config.seed, indices, {x0.size(1)}).normal(kDraw).to(at::kDouble)};
}

/// "K = 10" of each mixture, with its folder where others have as many components.
std::vector<std::string> names_of(const json& mixtures) {
  std::vector<std::string> names;
  for (const json& mixture : mixtures) {
    const auto as_many = [&](const json& other) { return other.at("components") == mixture.at("components"); };
    names.push_back("K = " + std::to_string(mixture.at("components").get<int64_t>()));
    if (std::count_if(mixtures.begin(), mixtures.end(), as_many) == 1) continue;
    names.back() += " (" + mixture.at("model").get<std::string>() + ")";
  }
  return names;
}

/// Of one mixture the divergences' means and strengths, of several the strengths over the number of classes.
report::Table divergence_table(const json& mixtures) {
  report::Table table;
  const bool several = mixtures.size() > 1;
  table.header = {"divergence"};
  if (!several) table.header.emplace_back("mean D");
  for (const std::string& name : names_of(mixtures)) {
    table.header.push_back("alpha |grad D| / |grad log p|" + (several ? ", " + name : ""));
  }
  for (const json& row : mixtures.front().at("divergences")) {
    table.rows.push_back({row.at("divergence").get<std::string>()});
    if (!several) table.rows.back().push_back(report::fixed(row.at("value").get<double>(), 4));
  }
  for (const json& mixture : mixtures) {
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      const json& row = mixture.at("divergences").at(i);
      table.rows[i].push_back(report::fixed(row.at("relative_gradient").get<double>(), 4));
    }
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
  json mixtures = json::array();
  TheoryResult result;
  for (const std::string& model : split(config.model, ',')) {
    const TheoryPoints points = theory_points(trimmed(model), config);
    const json divergences = divergence_strengths(points, config);
    mixtures.push_back({{"model", trimmed(model)},
                        {"components", points.mixture.num_components()},
                        {"dimension", points.mixture.dimension()},
                        {"divergences", divergences}});
    if (mixtures.size() > 1) continue;
    result.record = {{"command", "theory"},
                     {"config", settings},
                     {"versions", versions_record()},
                     {"complete", true},
                     {"components", points.mixture.num_components()},
                     {"dimension", points.mixture.dimension()},
                     {"gamma_alpha", gamma_over("alpha", points, config)},
                     {"gamma_epsilon", gamma_over("epsilon", points, config)},
                     {"calibration", calibration_error(points)},
                     {"direction", directions(points)},
                     {"divergences", divergences},
                     {"entropy", entropy_weights(points)}};
  }
  if (mixtures.size() > 1) result.record["mixtures"] = mixtures;
  result.table = divergence_table(mixtures);
  write_atomically(out / "theory.json", result.record.dump(2) + "\n");
  if (report::can_draw()) draw_theory(result.record, config);
  return result;
}

}  // namespace sextant::commands
