// A classifier as a guide sees it: a value, made of any function from images to logits.
//
//   const guidance::Classifier classifier{[net](const Tensor& x) mutable { return net.forward(x); }, 1000};
//
// Frozen, and differentiable in x. Copies share what the function holds; callable from any thread if the function is.
#pragma once

#include <concepts>
#include <functional>
#include <type_traits>

#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"
#include "sextant/runtime/tensor.h"

namespace sextant::guidance {

/// Logits [N, K], float32 at least, of images x [N, C, H, W] in the diffusion model's pixel range.
///
///   t    [N] the diffusion model's timesteps as its network receives them, or undefined; for Classifier::uses_time
///   ids  which samples the rows are, for a function that draws random numbers
class Logits {
 public:
  using Function = std::function<Tensor(const Tensor& x, const Tensor& t, const SampleIds& ids)>;

  Logits() = default;  ///< of no classifier
  /// A function of (x, t, ids), of (x, t) or of x alone.
  template <class Given>
  requires(!std::same_as<Given, Logits>) &&
      (std::is_invocable_r_v<Tensor, Given&, const Tensor&> ||
       std::is_invocable_r_v<Tensor, Given&, const Tensor&, const Tensor&> || std::is_convertible_v<Given, Function>)
          Logits(
              Given given) {  // NOLINT(google-explicit-constructor): so that a lambda stands where logits are asked for
    if constexpr (requires { given == nullptr; }) {
      if (given == nullptr) return;  // a std::function that holds none
    }
    if constexpr (std::is_convertible_v<Given, Function>) {
      function_ = std::move(given);
    } else if constexpr (std::is_invocable_r_v<Tensor, Given&, const Tensor&, const Tensor&>) {
      function_ = [given = std::move(given)](const Tensor& x, const Tensor& t, const SampleIds&) mutable -> Tensor {
        return given(x, t);
      };
    } else {
      function_ = [given = std::move(given)](const Tensor& x, const Tensor&, const SampleIds&) mutable -> Tensor {
        return given(x);
      };
    }
  }

  /// UsageError where there is no classifier.
  Tensor operator()(const Tensor& x, const Tensor& t = {}, const SampleIds& ids = {}) const {
    if (!function_) throw UsageError("classifier: expected a function from images to logits, got none");
    return function_(x, t, ids);
  }
  explicit operator bool() const { return static_cast<bool>(function_); }

 private:
  Function function_;
};

struct Classifier {
  Logits logits;
  int64_t classes = 0;     ///< K, or 0 for as many as the logits have; a guide refuses another K with ShapeError
  bool uses_time = false;  ///< noise-aware: reads x_t at time t

  explicit operator bool() const { return static_cast<bool>(logits); }  ///< false where there is none
};

}  // namespace sextant::guidance
