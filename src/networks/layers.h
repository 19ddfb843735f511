// Layers as plain values: each declares its tensors in a Scope and is a function of its input. Copyable; copies share
// their tensors. Activations flow in the dtype of the weights; norms compute in float32 at least and return the input's
// dtype.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "internal/kernels/convolution.h"
#include "sextant/networks/network.h"

namespace sextant::networks {

/// x in float32, or in float64 when it is that already.
Tensor at_least_float(const Tensor& x);

struct Conv2d {
  struct Options {
    int64_t stride = 1;
    int64_t padding = 0;
    int64_t groups = 1;
    bool bias = true;
    int64_t dilation = 1;
  };
  Conv2d() = default;
  Conv2d(const Scope& scope, int64_t in, int64_t out, int64_t kernel, Options options);
  Tensor operator()(const Tensor& x) const;

  Tensor weight;
  Tensor bias;
  Options options;

 private:
  kernels::TurnedWeight turned_;
};

/// Options of a convolution that a norm follows: no bias; odd kernels keep the size at stride 1.
Conv2d::Options before_norm(int64_t kernel, int64_t stride = 1, int64_t groups = 1, int64_t dilation = 1);

/// Over the last dimension.
struct Linear {
  Linear() = default;
  Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias = true);
  Tensor operator()(const Tensor& x) const;

  Tensor weight;
  Tensor bias;
};

struct GroupNorm {
  GroupNorm() = default;
  GroupNorm(const Scope& scope, int64_t groups, int64_t channels, double eps = 1e-5);
  Tensor operator()(const Tensor& x) const;

  int64_t groups = 0;
  double eps = 1e-5;
  Tensor weight;
  Tensor bias;
};

/// With the running statistics, in training with those of the batch: of all processes' shares below a SharedNorms.
struct BatchNorm2d {
  BatchNorm2d() = default;
  BatchNorm2d(const Scope& scope, int64_t channels, double eps = 1e-5);
  Tensor operator()(const Tensor& x) const;

  double eps = 1e-5;
  Tensor weight;
  Tensor bias;
  Tensor running_mean;
  Tensor running_var;
  Tensor num_batches_tracked;
  std::shared_ptr<const TrainingMode> training;
};

/// In training, numbers are zeroed with probability `rate` and the others divided by 1 - rate; else the identity. The
/// masks of an image depend on the batch's seed and the image's number alone (Network::begin_batch).
struct Dropout {
  Dropout() = default;
  Dropout(const Scope& scope, double rate);
  /// x [B, ...]
  Tensor operator()(const Tensor& x) const;

  double rate = 0;
  uint64_t draw = 0;
  std::shared_ptr<const TrainingMode> training;
};

/// Over the last dimension; without weight and bias when not `affine`.
struct LayerNorm {
  LayerNorm() = default;
  LayerNorm(const Scope& scope, int64_t width, double eps = 1e-5, bool affine = true);
  Tensor operator()(const Tensor& x) const;

  int64_t width = 0;
  double eps = 1e-5;
  Tensor weight;
  Tensor bias;
};

/// Rows of a table.
struct Embedding {
  Embedding() = default;
  Embedding(const Scope& scope, int64_t rows, int64_t width);
  Tensor operator()(const Tensor& index) const;

  Tensor weight;
};

/// ReLU, or its smoothing softplus(beta x)/beta, linear where beta x > 20, when `softplus_beta` > 0 (Ma et al. 2023,
/// section 4.2).
struct Relu {
  double softplus_beta = 0;
  Tensor operator()(const Tensor& x) const;
  /// The same, faster, of a temporary that nothing else reads: may overwrite x.
  Tensor of_temporary(Tensor x) const;
  /// The same of x + residual; may overwrite x.
  Tensor of_sum(Tensor x, const Tensor& residual) const;
};

}  // namespace sextant::networks
