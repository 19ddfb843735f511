// The order of a training's images, their augmentation, and a loader that works ahead.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sextant/runtime/range.h"
#include "sextant/training/images.h"

namespace sextant::training {

/// Changes that keep an image's class; each image of each epoch draws its own.
struct Augmentation {
  int64_t crop = 0;  ///< moved by up to so many pixels; what comes in has `crop_fill`
  static constexpr Range kCrop{0, 1024};
  int64_t crop_fill = 0;  ///< byte
  static constexpr Range kCropFill{0, 255};
  bool flip = false;  ///< left and right exchanged, half of the times
  double resize = 0;  ///< instead of `crop`: random crops of whole images, as guided-diffusion cuts them, whose side is
                      ///< at least this share of the shorter side; 0 is off
  static constexpr Range kResize{0, 1};
  int64_t side = 0;  ///< of those
};

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

/// Batches in order of their steps, made by threads ahead of their use. Step s has the images s B ... s B + B - 1 of
/// the shuffled sequence, for any number of workers.
class Loader {
 public:
  Loader(const TrainingImages& images, Augmentation augmentation, int64_t batch, uint64_t seed, int64_t first_step,
         int64_t last_step, int64_t workers);
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
