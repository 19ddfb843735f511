#include "sextant/diffusion/denoiser.h"

#include "sextant/runtime/error.h"

namespace sextant::diffusion {

Denoiser::Denoiser(Model model, Process process, std::vector<int64_t> sample_shape)
    : model_(std::move(model)), levels_(std::move(process)), sample_shape_(std::move(sample_shape)) {
  if (!model_) throw UsageError("denoiser: expected a model, got none");
}

Denoiser::Denoiser(Model model, SigmaRange range, std::vector<int64_t> sample_shape)
    : model_(std::move(model)), levels_(std::move(range)), sample_shape_(std::move(sample_shape)) {
  if (!model_) throw UsageError("denoiser: expected a model, got none");
}

Counts Denoiser::counts() const {
  return std::holds_alternative<Process>(levels_) ? Counts::kTimesteps : Counts::kNoiseLevels;
}

const Process& Denoiser::process() const {
  if (const auto* process = std::get_if<Process>(&levels_)) return *process;
  throw UsageError("denoiser: it counts noise levels, not timesteps; use a sampler of noise levels, such as edm-heun");
}

const SigmaRange& Denoiser::range() const {
  if (const auto* range = std::get_if<SigmaRange>(&levels_)) return *range;
  throw UsageError("denoiser: it counts timesteps, not noise levels; use a sampler of timesteps, such as ddpm or ddim");
}

Prediction Denoiser::predict(const Tensor& x, int64_t step, const Tensor& y) const {
  const Tensor output = model_(x, process().model_time(step, x), y, process().time(step, x));
  return process().p_mean_variance(output.to(x.scalar_type()), x, step);
}

Tensor Denoiser::denoise(const Tensor& x, double sigma, const Tensor& y) const {
  range();
  const Tensor denoised = model_(x, at::full({x.size(0)}, sigma, x.options()), y, sigma);
  if (denoised.sizes() != x.sizes()) {
    throw ShapeError(c10::str("denoiser: expected the model to answer images ", x.sizes(), " with their like, got ",
                              denoised.sizes()));
  }
  return denoised.to(x.scalar_type());
}

Denoiser Denoiser::with(Model model) const {
  return std::visit([&](const auto& levels) { return Denoiser(std::move(model), levels, sample_shape_); }, levels_);
}

Denoiser Denoiser::respaced(const std::string& sections) const {
  return {model_, process().respaced(sections), sample_shape_};
}

}  // namespace sextant::diffusion
