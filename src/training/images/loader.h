// The order of a training's images, and a loader that works ahead.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sextant/training/images.h"

namespace sextant::training {

/// Which image stands at place `number` of an endless sequence of epochs, each a new permutation by `seed`.
class Shuffle {
 public:
  Shuffle(int64_t images, uint64_t seed) : images_(images), seed_(seed) {}
  int64_t operator()(int64_t number);

 private:
  int64_t images_;
  uint64_t seed_;
  int64_t epoch_ = -1;
  std::vector<int32_t> order_;
};

/// Which images of each batch: begin, ..., end - 1 of its B.
struct Rows {
  int64_t begin, end;
};

/// Batches in order of their steps, made by threads ahead of their use. Step s has the images s B ... s B + B - 1 of
/// the shuffled sequence, or `rows` of them, for any number of workers.
class Loader {
 public:
  Loader(const TrainingImages& images, Augmentation augmentation, int64_t batch, Rows rows, uint64_t seed,
         int64_t first_step, int64_t last_step, int64_t workers);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next step's batch; rethrows what went wrong in making it.
  Batch next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sextant::training
