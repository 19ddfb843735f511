#include "sextant/runtime/error.h"
#include "sextant/samplers/samplers.h"

namespace sextant::samplers {

const std::vector<std::string>& sampler_names() {
  static const std::vector<std::string> names = {"ddpm", "ddim", "dpmpp-2m", "dpmpp-2m-sde", "unipc"};
  return names;
}

Sampler named_sampler(const std::string& name, double eta, int64_t recurrence) {
  using diffusion::Denoiser;
  using guidance::Guide;
  if (recurrence != 1 && name != "ddpm" && name != "ddim") {
    throw UsageError("sampler '" + name + "' takes each step once; use ddpm or ddim with a recurrence");
  }
  if (name == "ddpm") {
    return [recurrence](const Denoiser& denoiser, Guide* guide, const Tensor& labels, const Tensor& targets,
                        Noise& noise, const StepObserver& observe) {
      return sample_ddpm(denoiser, guide, labels, targets, noise, observe, recurrence);
    };
  }
  if (name == "ddim") {
    return [eta, recurrence](const Denoiser& denoiser, Guide* guide, const Tensor& labels, const Tensor& targets,
                             Noise& noise, const StepObserver& observe) {
      return sample_ddim(denoiser, guide, labels, targets, noise, eta, observe, recurrence);
    };
  }
  if (name == "dpmpp-2m" || name == "dpmpp-2m-sde") {
    const DpmSolverConfig config{2, name == "dpmpp-2m-sde"};
    return [config](const Denoiser& denoiser, Guide* guide, const Tensor& labels, const Tensor& targets, Noise& noise,
                    const StepObserver& observe) {
      return sample_dpm_solver(denoiser, guide, labels, targets, noise, config, observe);
    };
  }
  if (name == "unipc") {
    return
        [](const Denoiser& denoiser, Guide* guide, const Tensor& labels, const Tensor& targets, Noise& noise,
           const StepObserver& observe) { return sample_unipc(denoiser, guide, labels, targets, noise, {}, observe); };
  }
  std::string known;
  for (const std::string& candidate : sampler_names()) known += (known.empty() ? "" : ", ") + candidate;
  throw UsageError("sampler '" + name + "' is unknown; use one of " + known + "." +
                   did_you_mean(name, sampler_names()));
}

}  // namespace sextant::samplers
