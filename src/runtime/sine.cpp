#include "internal/runtime/sine.h"

#include <cmath>

namespace sextant {

float float32_sine(float angle) {
  // The odd polynomial of degree 9 by which SLEEF, and with it PyTorch, computes sines. Its upper half in float32 and
  // the rest in more digits, as there: only so are the last bits those of the published tables.
  const float square = angle * angle;
  const float upper = std::fma(std::fma(2.6083159809786593541503e-06F, square, -1.981069071916863322258e-04F), square,
                               8.33307858556509017944336e-03F);
  const double inner = -1.66666597127914428710938e-01F + static_cast<double>(upper) * square;
  return static_cast<float>(angle * (1 + inner * (static_cast<double>(angle) * angle)));
}

}  // namespace sextant
