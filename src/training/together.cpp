#include "together.h"

#include <algorithm>

namespace sextant::training {

void check(const TrainerConfig& config) {
  const auto in_range = [](const char* setting, const Range& range, auto value) {
    range.check("train", setting, static_cast<double>(value));
  };
  in_range("steps", config.kSteps, config.steps);
  in_range("batch", config.kBatch, config.batch);
  in_range("micro-batch", config.kMicroBatch, config.micro_batch);
  in_range("random-resize", config.augmentation.kResize, config.augmentation.resize);
  in_range("lr", config.learning_rate.kLr, config.learning_rate.lr);
  in_range("warmup", config.learning_rate.kWarmup, config.learning_rate.warmup);
  in_range("lr-final", config.learning_rate.kLrFinal, config.learning_rate.lr_final);
  in_range("ema", config.kEma, config.ema);
  in_range("clip", config.kClip, config.clip);
  in_range("crop", config.augmentation.kCrop, config.augmentation.crop);
  in_range("crop-fill", config.augmentation.kCropFill, config.augmentation.crop_fill);
  in_range("workers", config.kWorkers, config.workers);
  in_range("checkpoint-every", config.kEvery, config.checkpoint_every);
  in_range("log-every", config.kEvery, config.log_every);
  in_range("sample-every", config.kSampleEvery, config.sample_every);
  in_range("patience", config.kPatience, config.patience);
}

RunFiles open_files(const TrainerConfig& config, distributed::Group& group) {
  if (!group.leads()) return RunFiles::seen(config.folder, group.any(false));
  RunFiles files(config.folder, config.replaces);
  group.any(files.beside());
  return files;
}

bool add_up(Numbers& numbers, bool stops, distributed::Group& group) {
  if (group.alone()) return stops;
  std::vector<double> mine = {stops ? 1.0 : 0.0};
  for (const auto& [name, value] : numbers) mine.push_back(value);
  const Tensor all = at::tensor(mine, at::kDouble);
  group.sum(all);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i].second = all.data_ptr<double>()[i + 1];
  return all.data_ptr<double>()[0] > 0;
}

std::vector<distributed::Group::Part> parts_of_share(const TrainerConfig& config, const distributed::Group& group,
                                                     bool in_step) {
  const auto [first, last] = group.part(config.batch);
  const int64_t count = last - first;
  const int64_t most = config.micro_batch > 0 ? config.micro_batch : config.batch;
  std::vector<distributed::Group::Part> parts;
  if (!in_step) {
    for (int64_t begin = 0; begin < count; begin += most) parts.push_back({begin, std::min(begin + most, count)});
    return parts;
  }
  const int64_t smallest = config.batch / group.size();
  const int64_t largest = (config.batch + group.size() - 1) / group.size();
  const int64_t number = std::min((largest + most - 1) / most, smallest);
  for (int64_t i = 0; i < number; ++i) parts.push_back({count * i / number, count * (i + 1) / number});
  return parts;
}

}  // namespace sextant::training
