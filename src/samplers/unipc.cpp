// UniPC (Zhao et al. 2023): a unified predictor and corrector.
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "finite.h"
#include "guided_x0.h"
#include "sextant/runtime/error.h"
#include "start.h"

namespace sextant::samplers {
namespace {

using diffusion::NoiseLevel;

/// Solves the Vandermonde system sum_k r_k^i rho_k = b_i, i = 0 .. n-1 (Björck & Pereyra 1970).
std::vector<double> solve_vandermonde(const std::vector<double>& r, std::vector<double> b) {
  const std::size_t n = r.size();
  for (std::size_t k = 0; k + 1 < n; ++k) {
    for (std::size_t i = n - 1; i > k; --i) b[i] -= r[k] * b[i - 1];
  }
  for (std::size_t k = n - 1; k-- > 0;) {
    for (std::size_t i = k + 1; i < n; ++i) b[i] /= r[i] - r[i - k - 1];
    for (std::size_t i = k; i + 1 < n; ++i) b[i] -= b[i + 1];
  }
  return b;
}

/// b_i = i! phi_{i+1}(-h) / B(-h), the moments that the weights of the differences must have: eq. (9) of Zhao et al.
/// 2023
std::vector<double> moments(double h, std::size_t count, bool exponential) {
  const double z = -h;
  const double big = exponential ? std::expm1(z) : z;
  double phi = std::expm1(z) / z - 1;
  double factorial = 1;
  std::vector<double> b;
  for (std::size_t i = 1; i <= count; ++i) {
    b.push_back(phi * factorial / big);
    factorial *= static_cast<double>(i + 1);
    phi = phi / z - 1 / factorial;
  }
  return b;
}

/// A prediction and where it was made.
struct Node {
  Tensor x0;
  double lambda;
};

/// One step from `from` to `to` whose x0 prediction is interpolated through `nodes`: the first is the one at `from`;
/// the others enter by their differences to it.
Tensor step(const Tensor& x, const NoiseLevel& from, const NoiseLevel& to, const std::vector<Node>& nodes,
            bool exponential) {
  const double h = to.lambda() - from.lambda();
  const double big = exponential ? std::expm1(-h) : -h;
  Tensor result = at::add(to.sigma / from.sigma * x, nodes[0].x0, -to.alpha * std::expm1(-h));
  if (nodes.size() == 1) return result;

  std::vector<double> ratio;
  for (std::size_t k = 1; k < nodes.size(); ++k) ratio.push_back((nodes[k].lambda - nodes[0].lambda) / h);
  // With one difference any weight near 1/2 has the full order; 1/2 itself does not depend on B.
  const std::vector<double> weight =
      ratio.size() == 1 ? std::vector<double>{0.5} : solve_vandermonde(ratio, moments(h, ratio.size(), exponential));
  for (std::size_t k = 1; k < nodes.size(); ++k) {
    result = at::add(result, nodes[k].x0 - nodes[0].x0, -to.alpha * big * weight[k - 1] / ratio[k - 1]);
  }
  return result;
}

}  // namespace

Tensor sample_unipc(const Run& run, const SamplerConfig& config) {
  if (config.order < 1 || config.order > 3) {
    throw UsageError("unipc: expected an order from 1 to 3, got " + std::to_string(config.order));
  }
  const bool exponential = config.unipc_form == UniPcForm::kExponential;
  const at::NoGradGuard no_grad;
  const diffusion::Process& process = run.denoiser.process();
  const int64_t num_steps = process.num_steps();
  if (run.guide) run.guide->begin();

  Tensor x = initial_noise("unipc", run);
  FiniteWatch watch(x.device());
  Tensor x_before;          // where the last step started, for the corrector
  std::vector<Node> nodes;  // the last predictions, newest first
  for (int64_t t = num_steps - 1; t >= 0; --t) {
    const NoiseLevel here = process.level(t);
    const Tensor x_t = x;
    const GuidedX0 p = predict_guided(run, watch, x_t, t);
    if (!nodes.empty()) {
      // Corrector: the last step again, now with the prediction at its end. That prediction is kept, not renewed.
      std::vector<Node> corrected = nodes;
      corrected.insert(corrected.begin() + 1, {p.x0, here.lambda()});
      x = step(x_before, process.level(t + 1), here, corrected, exponential);
    }
    nodes.insert(nodes.begin(), {p.x0, here.lambda()});
    nodes.resize(std::min(nodes.size(), static_cast<std::size_t>(config.order)));

    x_before = x;
    x = t == 0 ? p.x0 : step(x, here, process.level(t - 1), nodes, exponential);
    check_finite(watch, "unipc", x, t);
    if (run.observe) run.observe({t, num_steps, p.x0, x, p.get_guidance(), x_t});
    watch.end_step();
  }
  watch.finish();
  return x;
}

}  // namespace sextant::samplers
