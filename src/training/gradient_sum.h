// The gradients of several processes, added while the backward pass still runs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "internal/distributed/group.h"
#include "weights.h"

namespace sextant::training {

/// Autograd leaves a parameter's gradient as soon as it is complete. Parameters are gathered in buckets, the last ones
/// of the network first; a bucket that is full is on its way to the others while earlier layers compute.
class GradientSum {
 public:
  /// `weights` and `group` must outlive it. Where there is one process nothing is done to the network.
  GradientSum(Weights& weights, distributed::Group& group);
  ~GradientSum();
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;

  /// A line for the user about where gradients are added, or empty.
  const std::string& note() const { return sums_.note; }
  /// The next backward pass is the last one of this step; the gradients of earlier ones are in .grad.
  void begin();
  /// After that pass: buckets with a parameter that it did not reach go too.
  void send_rest();
  /// The sum of all processes' gradients times `factor`, [P], on the weights' device; clears them.
  Tensor take(double factor);

 private:
  struct Bucket {
    int64_t begin = 0, end = 0;   ///< of the numbers
    int64_t first = 0, last = 0;  ///< of the slots, both within
    int64_t missing = 0;          ///< slots whose gradient is not complete yet
  };

  struct Hooks;

  void make_buckets();
  void watch(std::size_t slot);
  void complete(std::size_t slot);
  void send();

  Weights& weights_;
  distributed::Group& group_;
  distributed::Group::Sums sums_;
  std::vector<Bucket> buckets_;         ///< in order of sending, the same in all processes
  std::vector<std::size_t> bucket_of_;  ///< of each slot
  std::unique_ptr<Hooks> hooks_;        ///< on the parameters
  std::vector<char> done_;              ///< of each slot
  bool active_ = false;
  std::size_t sent_ = 0;  ///< buckets
  Tensor numbers_;        ///< [P] float32, where sums_ takes them
  std::vector<std::function<void()>> waits_;
};

}  // namespace sextant::training
