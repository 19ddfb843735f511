#include "internal/runtime/pointwise.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sextant::pointwise {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kBlock = 1 << 14;  ///< numbers; below what ATen would share between threads itself
constexpr int64_t kWhole = 256;      ///< numbers, a multiple of what its loops take at once in any dtype

Tensor as_stored(const Tensor& x) { return x.as_strided({x.numel()}, {1}, x.storage_offset()); }

/// result = f(x) or f(x, z) of numbers in a row: f(result, x, z) for some of them.
template <class F>
void of_block(const F& f, const Tensor& result, const Tensor& x, const Tensor& z) {
  const int64_t whole = result.numel() / kWhole * kWhole, rest = result.numel() - whole;
  const auto part = [](const Tensor& t, int64_t first, int64_t n) { return t.defined() ? t.narrow(0, first, n) : t; };
  if (whole > 0) {
    Tensor y = part(result, 0, whole);
    f(y, part(x, 0, whole), part(z, 0, whole));
  }
  if (rest == 0) return;
  const auto filled = [&](const Tensor& t) {
    if (!t.defined()) return t;
    const Tensor all = at::ones({kWhole}, t.options());
    part(all, 0, rest).copy_(part(t, whole, rest));
    return all;
  };
  Tensor y = at::empty({kWhole}, result.options());
  f(y, filled(x), filled(z));
  part(result, whole, rest).copy_(part(y, 0, rest));
}

/// f of every number of x, and of z where there is one.
template <class F>
Tensor map(const F& f, const Tensor& x_any, const Tensor& z_any = {}) {
  const at::NoGradGuard no_grad;
  const Tensor x = x_any.is_non_overlapping_and_dense() ? x_any.detach() : x_any.detach().contiguous();
  Tensor z = z_any.defined() ? z_any.detach() : z_any;
  if (z.defined() && (z.strides() != x.strides() || z.scalar_type() != x.scalar_type())) {
    z = at::empty_strided(x.sizes(), x.strides(), x.options()).copy_(z);
  }
  Tensor result = at::empty_strided(x.sizes(), x.strides(), x.options());
  if (!x.device().is_cpu()) {
    f(result, x, z);
    return result;
  }
  const Tensor y_row = as_stored(result), x_row = as_stored(x), z_row = z.defined() ? as_stored(z) : z;
  const int64_t n = x.numel();
  at::parallel_for(0, (n + kBlock - 1) / kBlock, 1, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_grad_here;
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * kBlock, count = std::min(kBlock, n - first);
      of_block(f, y_row.narrow(0, first, count), x_row.narrow(0, first, count),
               z_row.defined() ? z_row.narrow(0, first, count) : z_row);
    }
  });
  return result;
}

struct Exponential {
  static constexpr bool kOfResult = true;  ///< the derivative is a function of the result, not of x
  static void value(Tensor& y, const Tensor& x) { at::exp_out(y, x); }
  static void gradient(Tensor& dx, const Tensor& dy, const Tensor& y) { at::mul_out(dx, dy, y); }
};
struct Logarithm {
  static constexpr bool kOfResult = false;
  static void value(Tensor& y, const Tensor& x) { at::log_out(y, x); }
  static void gradient(Tensor& dx, const Tensor& dy, const Tensor& x) { at::div_out(dx, dy, x); }
};
struct Sine {
  static constexpr bool kOfResult = false;
  static void value(Tensor& y, const Tensor& x) { at::sin_out(y, x); }
  static void gradient(Tensor& dx, const Tensor& dy, const Tensor& x) { at::mul_out(dx, dy, x.cos()); }
};
struct Cosine {
  static constexpr bool kOfResult = false;
  static void value(Tensor& y, const Tensor& x) { at::cos_out(y, x); }
  static void gradient(Tensor& dx, const Tensor& dy, const Tensor& x) { at::mul_out(dx, dy, x.sin().neg_()); }
};
struct Sigmoid {
  static constexpr bool kOfResult = true;
  static void value(Tensor& y, const Tensor& x) { at::sigmoid_out(y, x); }
  static void gradient(Tensor& dx, const Tensor& dy, const Tensor& y) { at::sigmoid_backward_out(dx, dy, y); }
};
struct Tanh {
  static constexpr bool kOfResult = true;
  static void value(Tensor& y, const Tensor& x) { at::tanh_out(y, x); }
  static void gradient(Tensor& dx, const Tensor& dy, const Tensor& y) { at::tanh_backward_out(dx, dy, y); }
};
struct Silu {
  static constexpr bool kOfResult = false;
  static void value(Tensor& y, const Tensor& x) { at::silu_out(y, x); }
  static void gradient(Tensor& dx, const Tensor& dy, const Tensor& x) { at::silu_backward_out(dx, dy, x); }
};
template <bool by_tanh>
struct Gelu {
  static constexpr bool kOfResult = false;
  static constexpr const char* kWay = by_tanh ? "tanh" : "none";
  static void value(Tensor& y, const Tensor& x) { at::gelu_out(y, x, kWay); }
  static void gradient(Tensor& dx, const Tensor& dy, const Tensor& x) { at::gelu_backward_out(dx, dy, x, kWay); }
};

template <class Function>
Tensor value_of(const Tensor& x) {
  return map([](Tensor& y, const Tensor& from, const Tensor&) { Function::value(y, from); }, x);
}

template <class Function>
class Differentiable : public torch::autograd::Function<Differentiable<Function>> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x) {
    const Tensor y = value_of<Function>(x);
    context->save_for_backward({Function::kOfResult ? y : x});
    return y;
  }
  static variable_list backward(AutogradContext* context, variable_list dy) {
    return {map([](Tensor& dx, const Tensor& saved, const Tensor& g) { Function::gradient(dx, g, saved); },
                context->get_saved_variables()[0], dy[0])};
  }
};

template <class Function>
Tensor differentiable(const Tensor& x) {
  return at::GradMode::is_enabled() && x.requires_grad() ? Differentiable<Function>::apply(x) : value_of<Function>(x);
}

}  // namespace

Tensor exponential(const Tensor& x) { return differentiable<Exponential>(x); }
Tensor logarithm(const Tensor& x) { return differentiable<Logarithm>(x); }
Tensor sine(const Tensor& x) { return differentiable<Sine>(x); }
Tensor cosine(const Tensor& x) { return differentiable<Cosine>(x); }
Tensor sigmoid(const Tensor& x) { return differentiable<Sigmoid>(x); }
Tensor hyperbolic_tangent(const Tensor& x) { return differentiable<Tanh>(x); }
Tensor silu(const Tensor& x) { return differentiable<Silu>(x); }
Tensor gelu(const Tensor& x) { return differentiable<Gelu<false>>(x); }
Tensor gelu_by_tanh(const Tensor& x) { return differentiable<Gelu<true>>(x); }

}  // namespace sextant::pointwise
