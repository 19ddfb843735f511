// What classifiers answer to a set of images, as they are and at noise levels.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calibrate/levels.h"
#include "sextant/data/images.h"

namespace sextant::commands {

/// Images of a set, by number, with their labels.
struct Chosen {
  std::shared_ptr<const data::ImageSet> images;
  std::vector<int64_t> numbers;
  Tensor labels;  ///< [N] int64
};

/// uint8 [n, C, H, W]: numbers[begin] to numbers[end - 1]. DataError that names an image of another size.
Tensor read_images(const Chosen& chosen, std::size_t begin, std::size_t end);

/// One way to show images.
struct View {
  std::string input;            ///< "clean", "xt", "x0"
  std::optional<double> level;  ///< none for "clean"
};

struct Answers {
  View view;
  std::vector<Tensor> logits;  ///< of each classifier, [N, K] float32 at least, on the CPU
};

class Viewer {
 public:
  Viewer(const CalibrateConfig& config, std::vector<guidance::Classifier> classifiers, const Levels* levels,
         at::Device device, Progress& progress, const Stop& stop);

  /// Answers to the images as they are; none after a stop.
  std::optional<Answers> clean(const Chosen& chosen) const;
  /// Answers at one level to each of `inputs`; none after a stop.
  std::optional<std::vector<Answers>> at(double level, const std::vector<std::string>& inputs,
                                         const Chosen& chosen) const;

 private:
  /// Calls `show` with x0, labels and numbers of each batch.
  using Show = std::function<void(const Tensor& x0, const Tensor& labels, const std::vector<int64_t>& numbers)>;
  bool each_batch(const std::string& task, const Chosen& chosen, const Show& show) const;
  void ask(const Tensor& x, const Tensor& t, const View& view, const std::vector<int64_t>& numbers,
           std::vector<std::vector<Tensor>>& logits) const;

  const CalibrateConfig& config_;
  std::vector<guidance::Classifier> classifiers_;
  const Levels* levels_;
  at::Device device_;
  Progress& progress_;
  const Stop& stop_;
};

}  // namespace sextant::commands
