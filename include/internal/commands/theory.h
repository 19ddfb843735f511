// The papers' propositions on a mixture, where everything is exact: numbers and plots of docs/theory.md.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "internal/commands/run.h"
#include "internal/report/table.h"
#include "internal/runtime/options.h"
#include "sextant/runtime/progress.h"
#include "sextant/runtime/range.h"

namespace sextant::commands {

/// Settings of `sextant theory`.
struct TheoryConfig {
  std::string model;     ///< folder of a mixture, see models/mixture.h; or several with commas between
  int64_t count = 2000;  ///< exact draws that every number is a mean over
  static constexpr Range kCount{2, 1e6};
  uint64_t seed = 0;   ///< of them
  double alpha = 0.1;  ///< weight of the divergences
  static constexpr Range kAlpha{0, 10, true};
  double epsilon = 0.1;  ///< of their targets
  static constexpr Range kEpsilon{0, 0.999};
  double alpha_bar = 0.5;  ///< alpha_cumprod at which gamma and divergences are taken
  static constexpr Range kAlphaBar{0, 1, true};
  RunConfig run{.out = "out/theory"};
};

/// The table of `sextant theory`; the rows point into `config`.
std::vector<OptionGroup> theory_options(TheoryConfig& config);

/// Draws points x_0 of the mixture, each with the component it is of as its target, and notes for
///
///   gamma        Prop. 3: means of Gamma_y and of the sum over k != y of its positive and its negative part, at x_t,
///                over alpha and epsilon. Gamma_k = dS/dl_k = tau1 [k=y] - tau2 p_tau2,k + alpha (q_k - p_k)
///   calibration  Ma et al. 2023, Prop. 4.1: the ECE of logits l/T at x_0, and mean |g_T - g_1|/mean |g_1|, over T
///   direction    Prop. 4.2: at x_t along abar, mean cosine between grad S and mu_y sqrt(abar) - x_t, and mean
///                |grad S|, tau1 = 1 and tau2 = 1, 0.5, 0
///   entropy      over 1000 steps of the linear process, lambda_t of each shape as it falls from 0.2 to 0.05, and
///                lambda_t mean |grad H|/mean |grad log p_y| at x_t
///   divergences  mean |grad D| alpha/mean |grad log p_y| of each divergence at x_t, the alpha-divergences of order 0.5
///                and 1.5 among them; of several mixtures as "mixtures" and the chart classes, the rest of the first
///
/// theory.json has all numbers; gamma-alpha, gamma-epsilon, calibration, direction, strength, lambda and lambda-effect
/// are charts, .svg and .png, where this build can draw.
struct TheoryResult {
  nlohmann::json record;
  report::Table table;  ///< the divergences
};
TheoryResult run_theory(const TheoryConfig& config, const Stop& stop);

}  // namespace sextant::commands
