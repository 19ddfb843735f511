#include "internal/runtime/pointwise.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

namespace sextant {
namespace {

struct Named {
  const char* name;
  Tensor (*ours)(const Tensor&);
  Tensor (*atens)(const Tensor&);
};

const Named kFunctions[] = {
    {"exponential", pointwise::exponential, [](const Tensor& x) { return at::exp(x); }},
    {"logarithm", pointwise::logarithm, [](const Tensor& x) { return at::log(x); }},
    {"sine", pointwise::sine, [](const Tensor& x) { return at::sin(x); }},
    {"cosine", pointwise::cosine, [](const Tensor& x) { return at::cos(x); }},
    {"sigmoid", pointwise::sigmoid, [](const Tensor& x) { return at::sigmoid(x); }},
    {"hyperbolic_tangent", pointwise::hyperbolic_tangent, [](const Tensor& x) { return at::tanh(x); }},
    {"silu", pointwise::silu, [](const Tensor& x) { return at::silu(x); }},
    {"gelu", pointwise::gelu, [](const Tensor& x) { return at::gelu(x); }},
    {"gelu_by_tanh", pointwise::gelu_by_tanh, [](const Tensor& x) { return at::gelu(x, "tanh"); }},
};

/// [n] numbers that are positive, for the logarithm, and dense around 1.
Tensor numbers(int64_t n, at::ScalarType type) { return (at::arange(n, at::kDouble) * 0.37).sin().add(1.1).to(type); }

Tensor gradient(const Named& f, const Tensor& x, bool ours) {
  const Tensor leaf = x.detach().clone().requires_grad_(true);
  const Tensor y = ours ? f.ours(leaf) : f.atens(leaf);
  return torch::autograd::grad({y}, {leaf}, {at::linspace(-1, 1, x.numel(), y.options()).view(y.sizes())})[0];
}

TEST(Pointwise, GivesANumberTheSameWhereverItStands) {
  const int threads = at::get_num_threads();
  for (const Named& f : kFunctions) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kDouble}) {
      at::set_num_threads(1);
      const Tensor x = numbers(70000, type);
      const Tensor all = f.ours(x);
      for (const int number_of_threads : {1, 2, 3}) {
        at::set_num_threads(number_of_threads);
        EXPECT_TRUE(at::equal(f.ours(x), all)) << f.name << " with " << number_of_threads << " threads";
        for (const int64_t first : {0, 1, 17, 69999 - 40}) {
          for (const int64_t count : {1, 3, 15, 16, 40}) {
            EXPECT_TRUE(at::equal(f.ours(x.narrow(0, first, count)), all.narrow(0, first, count)))
                << f.name << " of " << count << " from " << first << " on";
          }
        }
      }
    }
  }
  at::set_num_threads(threads);
}

TEST(Pointwise, IsWhatATenComputes) {
  for (const Named& f : kFunctions) {
    const Tensor x = numbers(1000, at::kDouble).view({10, 4, 25});
    EXPECT_TRUE(at::allclose(f.ours(x), f.atens(x), 1e-15, 1e-15)) << f.name;
    const Tensor strided = numbers(2000, at::kDouble).view({10, 200}).slice(1, 3, 150, 2);
    EXPECT_TRUE(at::allclose(f.ours(strided), f.atens(strided), 1e-15, 1e-15)) << f.name;
    const Tensor last = x.unsqueeze(3).contiguous(at::MemoryFormat::ChannelsLast);
    EXPECT_EQ(f.ours(last).strides(), last.strides()) << f.name;
    EXPECT_EQ(f.ours(x.narrow(0, 0, 0)).numel(), 0) << f.name;
    EXPECT_TRUE(at::allclose(gradient(f, x, true), gradient(f, x, false), 1e-15, 1e-15)) << f.name;
    EXPECT_TRUE(at::allclose(gradient(f, last, true), gradient(f, last, false), 1e-15, 1e-15)) << f.name;
  }
}

}  // namespace
}  // namespace sextant
