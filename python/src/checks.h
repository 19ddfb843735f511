// What every function that takes images refuses. Numbers of other kinds would be computed with, and mean nothing.
#pragma once

#include <c10/util/StringUtil.h>

#include "sextant/runtime/error.h"
#include "sextant/runtime/tensor.h"

namespace sextant::python {

/// ShapeError unless x is of floating point. Images of 8 bits are the usual mistake.
inline const Tensor& of_floating_point(const char* who, const Tensor& x) {
  if (!x.defined() || x.is_floating_point()) return x;
  throw ShapeError(c10::str(who, ": expected floating point, got ", x.scalar_type(), " ", x.sizes(),
                            x.scalar_type() == at::kByte ? "; images in [-1, 1] are x / 127.5 - 1 of 8 bits" : ""));
}

/// The same for the images [N, C, H, W] (or points [N, d]) of a network, at least one.
inline const Tensor& images(const char* who, const Tensor& x) {
  of_floating_point(who, x);
  if (x.dim() == 4 || x.dim() == 2) {
    if (x.size(0) > 0) return x;
    throw ShapeError(c10::str(who, ": expected at least one image, got ", x.sizes()));
  }
  throw ShapeError(c10::str(who, ": expected images [N, C, H, W], got ", x.sizes()));
}

}  // namespace sextant::python
