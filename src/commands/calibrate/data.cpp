#include "calibrate/data.h"

#include <cmath>
#include <numeric>

#include "internal/models/mixture.h"
#include "sextant/data/images.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"

namespace sextant::commands {
namespace {

const char* word_of(data::Split split) { return split == data::Split::kTrain ? "train" : "test"; }

/// The images `numbers` of a set; labels go with them.
Subset subset_of(std::shared_ptr<const data::ImageSet> images, std::vector<int64_t> numbers) {
  const Tensor labels = images->labels().index_select(0, at::tensor(numbers, at::kLong));
  return {std::move(images), std::move(numbers), labels};
}

/// The first `count` images, 0 for all; `notes` hears where these are of some classes alone.
Subset first_of(std::shared_ptr<const data::ImageSet> images, int64_t count, const std::string& flag,
                const std::string& path, std::vector<std::string>& notes) {
  if (count > images->size()) {
    throw UsageError(c10::str(flag, " ", count, ": ", path, " has ", images->size(), " images"));
  }
  std::vector<int64_t> numbers(static_cast<std::size_t>(count > 0 ? count : images->size()));
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto classes = [](const Tensor& labels) { return std::get<0>(at::_unique(labels)).numel(); };
  Subset subset = subset_of(std::move(images), std::move(numbers));
  const int64_t shown = classes(subset.labels), all = classes(subset.images->labels());
  if (shown < all && count >= all) {
    notes.push_back(c10::str(flag, " ", count, ": the first images of ", path, ", which are sorted, are of ", shown,
                             " of its ", all, " classes; the numbers are of these alone"));
  }
  return subset;
}

void leave_out_unreadable(Subset& all, std::vector<std::string>& notes) {
  const data::Unreadable bad = data::unreadable(*all.images, all.numbers);
  if (bad.places.empty()) return;
  if (bad.places.size() == all.numbers.size()) throw DataError(bad.note);
  notes.push_back(bad.note);
  std::vector<int64_t> numbers = all.numbers;
  for (auto place = bad.places.rbegin(); place != bad.places.rend(); ++place) numbers.erase(numbers.begin() + *place);
  all = subset_of(all.images, std::move(numbers));
}

/// As many exact draws of a mixture as --count says. Their seed is their own: drawn by that of the levels' noise,
/// points and noise would be the same normal numbers.
std::shared_ptr<const data::ImageSet> drawn_points(const std::string& path, int64_t count, uint64_t seed) {
  constexpr int64_t kUsual = 10'000;
  constexpr uint64_t kOfPoints = 0x706f696e7473;
  const models::Points points =
      models::draw_points(models::describe(path), count > 0 ? count : kUsual, seed ^ kOfPoints);
  return data::images_in_memory(path, points.x, points.labels);
}

/// --image-size, or for files the size that the classifier is asked to see: they need not be of one size. Images for a
/// diffusion model stay as they are.
int64_t size_for(const CalibrateConfig& config, const std::string& path) {
  if (config.image_size > 0 || config.image_crop > 0) return config.image_size;
  return config.model.path.empty() && std::filesystem::is_directory(path) ? config.classifier.size : 0;
}

/// Takes a share of the images away from `all`, drawn by the seed; both keep their order.
Subset hold_out(Subset& all, double share, uint64_t seed) {
  const auto count = static_cast<int64_t>(all.numbers.size());
  const auto held = static_cast<int64_t>(std::llround(share * static_cast<double>(count)));
  if (held < 1 || held >= count) {
    throw UsageError(c10::str("--fit-share ", shortest(share), " of ", count, " images leaves none to ",
                              held < 1 ? "fit on" : "measure on"));
  }
  const Tensor keys = uniform_labels(seed, all.numbers, int64_t{1} << 30);
  const c10::optional<bool> stable = true;
  const Tensor order = std::get<1>(keys.sort(stable, 0));
  const auto part = [&](const Tensor& places) {
    std::vector<int64_t> numbers;
    const Tensor sorted = std::get<0>(places.sort());
    for (int64_t i = 0; i < sorted.numel(); ++i) {
      numbers.push_back(all.numbers[static_cast<std::size_t>(sorted[i].item<int64_t>())]);
    }
    return subset_of(all.images, std::move(numbers));
  };
  Subset fitted = part(order.slice(0, 0, held));
  all = part(order.slice(0, held));
  return fitted;
}

}  // namespace

CalibrateData open_data(const CalibrateConfig& config, int64_t channels, const data::NetworkClasses& classes) {
  CalibrateData data;
  const auto open = [&](const std::string& path, data::Split split) {
    if (models::is_mixture_folder(path)) return drawn_points(path, config.count, config.seed);
    const data::ReadOptions read{channels, size_for(config, path), config.image_crop, classes, config.cifar100};
    std::shared_ptr<const data::ImageSet> images =
        data::open_labelled(path, {split, path == config.data ? config.labels : "", read});
    data.notes.insert(data.notes.end(), images->notes().begin(), images->notes().end());
    return images;
  };
  data.measured = first_of(open(config.data, config.split), config.count, "--count", config.data, data.notes);
  if (config.skip_bad) leave_out_unreadable(data.measured, data.notes);
  if (config.fit == FitMethod::kNone) return data;
  if (config.fit_data.empty() && !config.fit_split) {
    data.fitted = hold_out(data.measured, config.fit_share, config.seed);
    data.fitted_on = config.data + " (" + word_of(config.split) + "), held out";
    return data;
  }
  const std::string path = config.fit_data.empty() ? config.data : config.fit_data;
  const data::Split split = config.fit_split.value_or(config.split);
  if (path == config.data && split == config.split) {
    throw UsageError(
        "--fit-data: " + path + " (" + word_of(split) +
        ") is what is measured; fit on other images, or leave --fit-data and --fit-split out to hold some out");
  }
  data.fitted = first_of(open(path, split), config.fit_count, "--fit-count", path, data.notes);
  if (config.skip_bad) leave_out_unreadable(*data.fitted, data.notes);
  data.fitted_on = path + " (" + word_of(split) + ")";
  return data;
}

void check_classes(const CalibrateConfig& config, const std::string& data, const Subset& subset, int64_t classes) {
  const auto named = static_cast<int64_t>(subset.images->class_names().size());
  const data::Naming naming = subset.images->naming();
  const bool own = naming == data::Naming::kNone || naming == data::Naming::kSorted;
  if (own && named > 0 && named != classes) {
    throw UsageError(
        c10::str("classifier ", config.classifier.path, " has ", classes, " classes but ", data, " has ", named,
                 "; give the images of every class of the classifier, or name the folders by the numbers of its "
                 "classes or by the names in its config.json's \"classes\""));
  }
  const Tensor bad = ((subset.labels < 0) | (subset.labels >= classes)).nonzero();
  if (bad.numel() == 0) return;
  const auto first = bad[0][0].item<int64_t>();
  throw UsageError(c10::str(subset.images->name(subset.numbers[static_cast<std::size_t>(first)]), ": its label ",
                            subset.labels[first].item<int64_t>(), " is no class of classifier ", config.classifier.path,
                            ", which has 0 to ", classes - 1,
                            subset.labels.min().item<int64_t>() == 1 && subset.labels.max().item<int64_t>() == classes
                                ? "; they count from 1: labels count from 0"
                                : ""));
}

}  // namespace sextant::commands
