// Training losses of diffusion models, one number per image or pixel: differentiable in the model's output.
#pragma once

#include "sextant/diffusion/denoiser.h"
#include "sextant/runtime/tensor.h"

namespace sextant::diffusion {

/// What a discrete-time model is trained on (Nichol & Dhariwal 2021). "vb" is the variational bound's term in bits per
/// dimension: KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)), or at step 0 the likelihood of the 256-level image.
enum class Loss {
  kMse,          ///< squared error of what the network predicts, plus vb of a learned variance
  kRescaledMse,  ///< the same with vb times T/1000
  kKl,           ///< vb alone
  kRescaledKl,   ///< vb times T: an estimate of the whole bound
};

struct LossTerms {
  Tensor loss;  ///< [N], what to minimise
  Tensor mse;   ///< [N], undefined for kKl and kRescaledKl
  Tensor vb;    ///< [N], undefined where the variance is fixed and for kKl and kRescaledKl
};

/// The loss of `model` at x_t = q_sample(x0, steps, noise): x0 [N, C, H, W] in [-1, 1], steps [N] int64, y [N] labels,
/// noise like x0. In the MSE losses vb teaches the variance only: the mean is detached there. x0 predictions are not
/// clipped.
LossTerms training_loss(const Process& process, const Model& model, const Tensor& x0, const Tensor& steps,
                        const Tensor& y, const Tensor& noise, Loss loss);

}  // namespace sextant::diffusion
