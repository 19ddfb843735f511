// The numbers behind `sextant theory`.
#pragma once

#include <nlohmann/json.hpp>

#include "internal/commands/theory.h"
#include "sextant/diffusion/mixture.h"

namespace sextant::commands {

/// A mixture, exact draws of it, and normals that noise them: float64.
struct TheoryPoints {
  diffusion::Mixture mixture;
  Tensor x0;      ///< [N, d]
  Tensor y;       ///< [N], the components that they are of
  Tensor normal;  ///< [N, d]

  Tensor x_t(double alpha_bar) const;
};

// Each as run_theory() says, an array of {"name": number}.
nlohmann::json gamma_over(const std::string& setting, const TheoryPoints& points, const TheoryConfig& config);
nlohmann::json calibration_error(const TheoryPoints& points);
nlohmann::json directions(const TheoryPoints& points);
nlohmann::json divergence_strengths(const TheoryPoints& points, const TheoryConfig& config);
nlohmann::json entropy_weights(const TheoryPoints& points);

/// The charts into config.run.out.
void draw_theory(const nlohmann::json& record, const TheoryConfig& config);

}  // namespace sextant::commands
