// Batch norms of a batch that several processes share.
#pragma once

#include <functional>

#include "sextant/runtime/tensor.h"

namespace sextant::networks {

/// Replaces x, contiguous float64 on the CPU, by its sum over the processes; all get the same bits. May throw.
using SumOverProcesses = std::function<void(const Tensor& x)>;

/// While one lives, batch norms that train in this thread take the mean and the variance of the images of all
/// processes, and gradients of what they compute flow between the processes too. Each norm waits for one sum of
/// 2 C + 1 numbers in its forward pass and for one of 2 C in its backward pass: the processes have to run the same
/// network, each on its own share of the batch, equally often. Autograd takes the norms of one graph in one order, the
/// reverse of that of the forward pass, so sums meet their like; `sum` should not share its order with other messages.
class SharedNorms {
 public:
  explicit SharedNorms(SumOverProcesses sum);
  ~SharedNorms();
  SharedNorms(const SharedNorms&) = delete;
  SharedNorms& operator=(const SharedNorms&) = delete;

  /// That of this thread's latest one; null where none lives.
  static const SumOverProcesses* sum();

 private:
  SumOverProcesses sum_;
  const SharedNorms* before_;
};

/// Rows of this process's share of at::batch_norm of all shares, in training: with mean m and variance v of all N
/// numbers of a channel, y = weight (x - m) / sqrt(v + eps) + bias. Moves the running mean to
/// (1 - momentum) running_mean + momentum m, the running variance likewise by v N / (N - 1).
///
/// x [B, C, H, W], float32 or float64, B from 0; the others [C]. In the backward pass, with g the gradient at y and
/// z = (x - m) / sqrt(v + eps): weight / sqrt(v + eps) (g - mean g - z mean(g z)) at x, means over all shares; sum(g z)
/// at weight and sum g at bias are of this share, for whoever adds gradients over processes.
Tensor shared_batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                         const Tensor& running_var, double momentum, double eps, const SumOverProcesses& sum);

}  // namespace sextant::networks
