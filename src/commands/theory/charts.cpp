#include <algorithm>

#include "internal/guidance/words.h"
#include "sextant/report/drawing.h"
#include "theory/numbers.h"

namespace sextant::commands {
namespace {

using nlohmann::json;

/// `y` of the rows over their `x`, of those where `wanted`.
template <class Wanted>
report::Curve curve_of(const std::string& name, const json& rows, const char* x, const char* y, const Wanted& wanted) {
  report::Curve curve;
  curve.name = name;
  curve.marks = true;
  for (const json& row : rows) {
    if (!wanted(row)) continue;
    curve.x.push_back(row.at(x));
    curve.y.push_back(row.at(y));
  }
  return curve;
}

report::Curve curve_of(const std::string& name, const json& rows, const char* x, const char* y) {
  return curve_of(name, rows, x, y, [](const json&) { return true; });
}

report::Chart gamma_chart(const json& rows, const char* setting, const std::string& title) {
  report::Chart chart;
  chart.title = title;
  chart.x_label = setting;
  chart.y_label = "mean Γ";
  chart.curves = {curve_of("target class", rows, setting, "target"),
                  curve_of("attraction to other classes", rows, setting, "attraction"),
                  curve_of("repulsion from other classes", rows, setting, "repulsion")};
  return chart;
}

/// Strength of each divergence over the number of classes; `mixtures` in any order.
report::Chart classes_chart(json mixtures) {
  std::stable_sort(mixtures.begin(), mixtures.end(),
                   [](const json& a, const json& b) { return a.at("components") < b.at("components"); });
  report::Chart chart;
  chart.title = "What a divergence does with more classes";
  chart.x_label = "number of classes";
  chart.y_label = "alpha |grad D| / |grad log p|";
  chart.log_x = chart.log_y = true;
  for (const json& first : mixtures.front().at("divergences")) {
    report::Curve curve;
    curve.name = first.at("divergence");
    curve.marks = true;
    for (const json& mixture : mixtures) {
      for (const json& row : mixture.at("divergences")) {
        if (row.at("divergence") != first.at("divergence")) continue;
        curve.x.push_back(mixture.at("components"));
        curve.y.push_back(row.at("relative_gradient"));
      }
    }
    chart.curves.push_back(std::move(curve));
  }
  return chart;
}

}  // namespace

void draw_theory(const json& record, const TheoryConfig& config) {
  const std::filesystem::path out = config.run.out;
  if (record.contains("mixtures")) {
    report::write_svg_and_png(out / "classes", report::draw(classes_chart(record.at("mixtures"))));
  }
  report::write_svg_and_png(out / "gamma-alpha",
                            report::draw(gamma_chart(record.at("gamma_alpha"), "alpha", "Γ of reverse KL over alpha")));
  report::write_svg_and_png(out / "gamma-epsilon", report::draw(gamma_chart(record.at("gamma_epsilon"), "epsilon",
                                                                            "Γ of reverse KL over epsilon")));

  report::Chart calibration;
  calibration.title = "Logits divided by T: error of the gradient over ECE";
  calibration.x_label = "ECE of the distorted classifier";
  calibration.y_label = "relative error of the gradient";
  const json& errors = record.at("calibration");
  calibration.curves = {curve_of("too sure, T < 1", errors, "ece", "gradient_error",
                                 [](const json& row) { return row.at("temperature") <= 1.0; }),
                        curve_of("not sure enough, T > 1", errors, "ece", "gradient_error",
                                 [](const json& row) { return row.at("temperature") >= 1.0; })};
  report::write_svg_and_png(out / "calibration", report::draw(calibration));

  report::Chart direction, strength;
  direction.title = "Cosine between guidance and the way to the mode";
  strength.title = "Norm of the guidance gradient";
  direction.x_label = strength.x_label = "abar: noise at the left, the clean point at the right";
  direction.y_label = "mean cosine";
  strength.y_label = "mean |g|";
  strength.log_y = true;
  for (const double tau2 : {1.0, 0.5, 0.0}) {
    const std::string name = "tau2 = " + report::fixed(tau2, 1);
    const auto own = [&](const json& row) { return row.at("tau2") == tau2; };
    direction.curves.push_back(curve_of(name, record.at("direction"), "alpha_bar", "cosine", own));
    strength.curves.push_back(curve_of(name, record.at("direction"), "alpha_bar", "gradient_norm", own));
  }
  report::write_svg_and_png(out / "direction", report::draw(direction));
  report::write_svg_and_png(out / "strength", report::draw(strength));

  report::Chart lambda, effect;
  lambda.title = "Weight of the entropy along the steps";
  effect.title = "Pull of the entropy beside that of log p";
  lambda.x_label = effect.x_label = "step t of 1000, the noisiest first";
  lambda.y_label = "lambda_t";
  effect.y_label = "lambda_t |grad H| / |grad log p|";
  lambda.x_falls = effect.x_falls = true;
  for (const std::string& shape : names_of(guidance::lambda_shape_words())) {
    const auto own = [&](const json& row) { return row.at("shape") == shape; };
    lambda.curves.push_back(curve_of(shape, record.at("entropy"), "step", "lambda", own));
    effect.curves.push_back(curve_of(shape, record.at("entropy"), "step", "relative_gradient", own));
  }
  report::write_svg_and_png(out / "lambda", report::draw(lambda));
  report::write_svg_and_png(out / "lambda-effect", report::draw(effect));
}

}  // namespace sextant::commands
