// Random crops of images of any size.
#pragma once

#include "sextant/runtime/tensor.h"

namespace sextant::training {

/// Where in [0, 1) of its range each choice of a crop lies.
struct CropDraw {
  double scale, down, right;
};

/// A side x side piece of an image uint8 [C, H, W] as guided-diffusion cuts it: the shorter side is scaled to a whole
/// number drawn from side to ceil(side/smallest), halved by 2 x 2 means while it is at least twice that and then
/// bicubically, and the place is drawn. `smallest` in (0, 1].
Tensor random_crop(const Tensor& image, int64_t side, double smallest, const CropDraw& draw);

}  // namespace sextant::training
