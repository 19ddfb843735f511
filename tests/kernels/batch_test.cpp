// What the kernels give for an image depends neither on the rest of its batch nor on the number of threads.
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>

#include "internal/kernels/convolution.h"
#include "internal/kernels/linear.h"
#include "internal/kernels/norm.h"
#include "support/golden.h"

namespace sextant::kernels {
namespace {

constexpr int64_t kImages = 70;

/// f and its gradient for each image alone, with one thread, against batches of 7 and 70 with one to three.
void expect_the_same(const Tensor& images, const std::function<Tensor(const Tensor&)>& f) {
  const auto both = [&](const Tensor& x) {
    const Tensor leaf = x.clone(x.suggest_memory_format()).requires_grad_(true);
    const Tensor y = f(leaf);
    return std::pair(y.detach(), torch::autograd::grad({(y * y).sum()}, {leaf})[0]);
  };
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  std::vector<std::pair<Tensor, Tensor>> alone;
  for (int64_t i = 0; i < kImages; ++i) alone.push_back(both(images.narrow(0, i, 1)));
  for (const int number_of_threads : {1, 2, 3}) {
    at::set_num_threads(number_of_threads);
    for (const int64_t batch : {int64_t{1}, int64_t{7}, kImages}) {
      const auto [y, gradient] = both(images.narrow(0, 0, batch));
      for (int64_t i = 0; i < batch; ++i) {
        const auto& [expected, expected_gradient] = alone[static_cast<std::size_t>(i)];
        ASSERT_TRUE(at::equal(y.narrow(0, i, 1), expected)) << i << " of " << batch << ", " << number_of_threads;
        ASSERT_TRUE(at::equal(gradient.narrow(0, i, 1), expected_gradient)) << i << " of " << batch;
      }
    }
  }
  at::set_num_threads(threads);
}

Tensor drawn(at::IntArrayRef sizes) {
  at::manual_seed(5);
  return at::randn(sizes);
}

TEST(Batch, ChangesNoRowOfAProduct) {
  const Tensor weight = drawn({33, 50}), bias = drawn({33});
  for (const auto& image : {std::vector<int64_t>{50}, {9, 50}, {65, 50}}) {
    std::vector<int64_t> sizes = {kImages};
    sizes.insert(sizes.end(), image.begin(), image.end());
    expect_the_same(drawn(sizes), [&](const Tensor& x) { return linear(x, weight, bias); });
  }
}

TEST(Batch, ChangesNoNorm) {
  GroupNorm norm;
  norm.groups = 4;
  norm.weight = drawn({24});
  norm.bias = drawn({24});
  norm.silu = true;
  for (const int64_t side : {5, 14, 47}) {
    expect_the_same(drawn({kImages, 24, side, side}).contiguous(at::MemoryFormat::ChannelsLast),
                    [&](const Tensor& x) { return group_norm(x, norm); });
  }
}

TEST(Batch, ChangesNoConvolution) {
  for (const ConvOptions& options : {ConvOptions{1, 1}, ConvOptions{2, 1}, ConvOptions{1, 1, 1, 4}}) {
    const Tensor weight = drawn({32, 16 / options.groups, 3, 3}), bias = drawn({32});
    expect_the_same(drawn({kImages, 16, 14, 14}).contiguous(at::MemoryFormat::ChannelsLast),
                    [&](const Tensor& x) { return frozen_conv2d(x, weight, bias, options); });
  }
  const Tensor pointwise = drawn({32, 16, 1, 1});
  for (const int64_t stride : {1, 2}) {
    expect_the_same(drawn({kImages, 16, 14, 14}), [&](const Tensor& x) {
      return frozen_conv2d(x, pointwise, {}, {stride, 0});
    });
  }
}

}  // namespace
}  // namespace sextant::kernels
