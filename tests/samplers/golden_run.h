// A reference's run of a sampler: its noise played back, ours recorded.
#pragma once

#include "samplers/tiny_models.h"
#include "sextant/samplers/samplers.h"

namespace sextant::testing {

/// x_T and the k-th draw from a file, whatever the seed: the noise of step n-1 is the first draw.
class GoldenNoise : public Noise {
 public:
  GoldenNoise(Tensor initial, Tensor draws)
      : Noise(0, {}, {}), initial_(std::move(initial)), draws_(std::move(draws)) {}
  Tensor initial() override { return initial_; }
  Tensor at_step(int64_t step) override { return draws_[draws_.size(0) - 1 - step]; }

 private:
  Tensor initial_;
  Tensor draws_;
};

/// Every step of a run, first step first.
struct Recording {
  std::vector<Tensor> x;
  std::vector<Tensor> x0;
  std::vector<guidance::Guidance> guidance;

  samplers::StepObserver observer() {
    return [this](const samplers::Step& step) {
      x.push_back(step.x);
      x0.push_back(step.x0);
      if (step.guidance) guidance.push_back(*step.guidance);
    };
  }
  /// One field of the guide's answers, [steps, ...].
  Tensor of(Tensor guidance::Guidance::*field) const {
    std::vector<Tensor> values;
    for (const guidance::Guidance& g : guidance) values.push_back(g.*field);
    return at::stack(values);
  }
};

}  // namespace sextant::testing
