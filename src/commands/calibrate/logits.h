// What classifiers answer to a set of images, as they are and at noise levels.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/levels.h"
#include "internal/distributed/group.h"
#include "sextant/data/images.h"

namespace sextant::commands {

/// Images of a set, by number, with their labels.
struct Subset {
  std::shared_ptr<const data::ImageSet> images;
  std::vector<int64_t> numbers;
  Tensor labels;  ///< [N] int64
};

/// uint8 [n, C, H, W]: numbers[begin] to numbers[end - 1]. DataError that names an image of another size.
Tensor read_images(const Subset& subset, std::size_t begin, std::size_t end);

/// Under which condition images are shown.
struct Condition {
  Shown shown = Shown::kClean;
  std::optional<double> level;  ///< none for clean images
};

/// What classifiers answer under one condition.
struct Logits {
  Condition condition;
  std::vector<Tensor> of_classifiers;  ///< of each [N, K] float32 at least, on the CPU
};

/// Shows images to classifiers and collects their logits; the processes of a group each show a share and all get the
/// whole.
class LogitsCollector {
 public:
  LogitsCollector(const CalibrateConfig& config, std::vector<guidance::Classifier> classifiers, const Levels* levels,
                  at::Device device, distributed::Group& group, Progress& progress, const Stop& stop);

  /// The logits of the images as they are; none after a stop.
  std::optional<Logits> clean(const Subset& subset) const;
  /// Those at one level, one for each of `shown`; none after a stop.
  std::optional<std::vector<Logits>> at(double level, const std::vector<Shown>& shown, const Subset& subset) const;

 private:
  /// The logits of each classifier, batch by batch.
  using Batches = std::vector<std::vector<Tensor>>;

  /// Gets x0, labels and numbers of one batch.
  using VisitBatch = std::function<void(const Tensor& x0, const Tensor& labels, const std::vector<int64_t>& numbers)>;
  /// False after a stop of any process.
  bool each_batch(const std::string& task, const Subset& subset, const VisitBatch& visit) const;
  void collect(const Tensor& x, const Tensor& t, const Condition& condition, const std::vector<int64_t>& numbers,
               Batches& batches) const;
  /// The logits of each classifier, of all processes.
  std::vector<Tensor> joined(const Batches& batches) const;

  const CalibrateConfig& config_;
  std::vector<guidance::Classifier> classifiers_;
  const Levels* levels_;
  at::Device device_;
  distributed::Group& group_;
  Progress& progress_;
  const Stop& stop_;
};

}  // namespace sextant::commands
