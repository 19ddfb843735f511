// From the samples of a latent model to images, few at a time.
#pragma once

#include <functional>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::commands {

/// decode(z) [N, C, H, W] of samples z [N, ...], so many at a time that they have at most two million pixels: decoders
/// take several float32 copies of the largest image, of every image that they are given. NumericError, naming the first
/// of the images `samples` that is not finite.
Tensor decoded(const std::function<Tensor(const Tensor& z)>& decode, const std::vector<int64_t>& image_shape,
               const Tensor& z, const std::vector<int64_t>& samples);

}  // namespace sextant::commands
