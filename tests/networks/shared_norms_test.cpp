// Batch norms of processes, played by threads, against one batch norm of all their images.
#include "internal/networks/shared_norms.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "layers.h"
#include "support/golden.h"

namespace sextant::networks {
namespace {

/// Adds what `size` threads bring, in the order of their ranks, when all have come.
class Meeting {
 public:
  explicit Meeting(std::size_t size) : brought_(size) {}

  void sum(std::size_t rank, const Tensor& x) {
    std::unique_lock lock(mutex_);
    brought_[rank] = x;
    const int64_t round = round_;
    if (++come_ == brought_.size()) {
      Tensor all = at::zeros_like(x);
      for (const Tensor& one : brought_) all += one;
      for (const Tensor& one : brought_) Tensor(one).copy_(all);
      come_ = 0;
      ++round_;
      changed_.notify_all();
    }
    changed_.wait(lock, [&] { return round_ > round; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Tensor> brought_;
  std::size_t come_ = 0;
  int64_t round_ = 0;
};

constexpr int64_t kChannels = 5;

Tensor normal(std::vector<int64_t> sizes, uint64_t seed, at::ScalarType type) {
  return at::randn(sizes, at::detail::createCPUGenerator(seed), at::kDouble).to(type);
}

BatchNorm2d norm_of(at::ScalarType type) {
  BatchNorm2d norm;
  norm.weight = normal({kChannels}, 1, type).requires_grad_();
  norm.bias = normal({kChannels}, 2, type).requires_grad_();
  norm.running_mean = normal({kChannels}, 3, type);
  norm.running_var = normal({kChannels}, 4, type).square();
  norm.num_batches_tracked = at::zeros({}, at::kLong);
  const auto training = std::make_shared<TrainingMode>();
  training->on = true;
  norm.training = training;
  return norm;
}

struct Passed {
  Tensor y, at_x;
  BatchNorm2d norm;  ///< with the gradients
};

/// Twice through a norm of one kind: gradients of the second cross the first's sums.
Passed pass(const Tensor& x, const Tensor& v, at::ScalarType type) {
  Passed passed;
  passed.norm = norm_of(type);
  const Tensor leaf = x.clone().requires_grad_();
  passed.y = passed.norm(passed.norm(leaf).tanh());
  passed.y.backward(v);
  passed.at_x = leaf.grad();
  return passed;
}

struct Case {
  std::vector<int64_t> shares;
  at::ScalarType type;
  double tolerance;
  double offset;  ///< of all images, in standard deviations
};

class SharedNormsOf : public ::testing::TestWithParam<Case> {};

TEST_P(SharedNormsOf, AreTheNormsOfTheWholeBatch) {
  const auto& [shares, type, tolerance, offset] = GetParam();
  int64_t count = 0;
  for (const int64_t share : shares) count += share;
  const Tensor x = normal({count, kChannels, 3, 2}, 5, type) + offset;
  const Tensor v = normal(x.sizes().vec(), 6, type);
  const Passed whole = pass(x, v, type);

  Meeting meeting(shares.size());
  std::vector<Passed> parts(shares.size());
  std::vector<std::thread> threads;
  int64_t first = 0;
  for (std::size_t rank = 0; rank < shares.size(); ++rank) {
    threads.emplace_back([&, rank, first] {
      const SharedNorms shared([&meeting, rank](const Tensor& sums) { meeting.sum(rank, sums); });
      parts[rank] = pass(x.narrow(0, first, shares[rank]), v.narrow(0, first, shares[rank]), type);
    });
    first += shares[rank];
  }
  for (std::thread& thread : threads) thread.join();

  std::vector<Tensor> y, at_x;
  Tensor at_weight = at::zeros({kChannels}, type), at_bias = at::zeros({kChannels}, type);
  const testing::Tolerance near{tolerance, tolerance};
  for (const Passed& part : parts) {
    y.push_back(part.y.detach());
    at_x.push_back(part.at_x);
    at_weight += part.norm.weight.grad();
    at_bias += part.norm.bias.grad();
    EXPECT_TENSOR_NEAR(part.norm.running_mean, whole.norm.running_mean, near);
    EXPECT_TENSOR_NEAR(part.norm.running_var, whole.norm.running_var, near);
    EXPECT_TRUE(part.norm.running_var.equal(parts[0].norm.running_var));
    EXPECT_EQ(part.norm.num_batches_tracked.item<int64_t>(), 2);
  }
  EXPECT_TENSOR_NEAR(at::cat(y), whole.y.detach(), near);
  EXPECT_TENSOR_NEAR(at::cat(at_x), whole.at_x, near);
  EXPECT_TENSOR_NEAR(at_weight, whole.norm.weight.grad(), near);
  EXPECT_TENSOR_NEAR(at_bias, whole.norm.bias.grad(), near);
}

INSTANTIATE_TEST_SUITE_P(Shares, SharedNormsOf,
                         ::testing::Values(Case{{5, 4}, at::kFloat, 4e-6, 0}, Case{{5, 4}, at::kDouble, 1e-13, 0},
                                           Case{{3, 3, 3}, at::kFloat, 4e-6, 0}, Case{{1, 7, 2}, at::kDouble, 1e-13, 0},
                                           Case{{4, 0, 5}, at::kDouble, 1e-13, 0},
                                           Case{{5, 4}, at::kDouble, 1e-9, 1000}));

TEST(SharedNorms, EndWithTheirScope) {
  const Tensor x = normal({4, kChannels, 2, 2}, 5, at::kFloat);
  const Tensor alone = norm_of(at::kFloat)(x);
  int64_t sums = 0;
  {
    const SharedNorms outer([&](const Tensor&) { ++sums; });
    {
      const SharedNorms inner([](const Tensor&) { FAIL(); });
    }
    EXPECT_TENSOR_NEAR(norm_of(at::kFloat)(x).detach(), alone.detach(), (testing::Tolerance{1e-6, 1e-6}));
    EXPECT_EQ(sums, 1);
    BatchNorm2d fixed = norm_of(at::kFloat);
    fixed.training = nullptr;
    (void)fixed(x);
    EXPECT_EQ(sums, 1);
  }
  EXPECT_EQ(SharedNorms::sum(), nullptr);
  EXPECT_TRUE(norm_of(at::kFloat)(x).equal(alone));
}

}  // namespace
}  // namespace sextant::networks
