// Labels of classes that are none.
#pragma once

#include <cstdint>
#include <optional>

#include "sextant/runtime/tensor.h"

namespace sextant {

struct WrongLabel {
  int64_t label;
  int64_t place;
};

/// The first of `y` [N] int64 that is not in [0, classes). Waits for a GPU.
inline std::optional<WrongLabel> wrong_label(const Tensor& y, int64_t classes) {
  const Tensor host = y.cpu();
  const auto labels = host.accessor<int64_t, 1>();
  for (int64_t n = 0; n < labels.size(0); ++n) {
    if (labels[n] < 0 || labels[n] >= classes) return WrongLabel{labels[n], n};
  }
  return std::nullopt;
}

}  // namespace sextant
