#include "images/loader.h"

#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "images/random_crop.h"
#include "sextant/runtime/noise.h"
#include "streams.h"

namespace sextant::training {
namespace {

/// One image [C, H, W] moved by (down, right), then turned round, into `out`.
void place(const Tensor& image, int64_t down, int64_t right, bool flip, uint8_t fill, uint8_t* out) {
  const int64_t channels = image.size(0), height = image.size(1), width = image.size(2);
  const uint8_t* const in = image.data_ptr<uint8_t>();
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t row = 0; row < height; ++row) {
      uint8_t* const line = out + (c * height + row) * width;
      const int64_t from = row - down;
      if (from < 0 || from >= height) {
        std::memset(line, fill, static_cast<std::size_t>(width));
        continue;
      }
      const uint8_t* const source = in + (c * height + from) * width;
      for (int64_t column = 0; column < width; ++column) {
        const int64_t x = column - right;
        line[flip ? width - 1 - column : column] = x < 0 || x >= width ? fill : source[x];
      }
    }
  }
}

}  // namespace

/// Makes batches; one for each thread.
class Maker {
 public:
  Maker(const TrainingImages& images, Augmentation augmentation, int64_t batch, Rows rows, uint64_t seed)
      : images_(images),
        augmentation_(augmentation),
        batch_(batch),
        rows_(rows),
        seed_(stream(seed, Purpose::kAugmentation)),
        order_(images.size(), seed) {}

  Batch operator()(int64_t step) {
    Batch batch;
    batch.whole = batch_;
    std::vector<int64_t> rows, labels;
    std::vector<Tensor> answers;
    const int64_t count = rows_.end - rows_.begin;
    for (int64_t i = rows_.begin; i < rows_.end; ++i) {
      batch.number.push_back(step * batch_ + i);
      rows.push_back(order_(batch.number.back()));
      labels.push_back(images_.label(rows.back()));
      if (images_.answered()) answers.push_back(images_.answers(rows.back()));
    }
    const int64_t places = 2 * augmentation_.crop + 1;
    const auto drawn = [&](uint64_t which, int64_t bound) {
      return uniform_labels(seed_ + which, batch.number, bound);
    };
    const Tensor down = drawn(0, places), right = drawn(1, places), flip = drawn(2, 2);
    Tensor first;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = rows[static_cast<std::size_t>(i)];
      const Tensor image = augmentation_.resize > 0 ? cut(row, batch.number[static_cast<std::size_t>(i)])
                           : i == 0                 ? images_.image(row)
                                                    : images_.image_like(row, first);
      if (i == 0) first = image;
      if (i == 0) batch.images = at::empty({count, image.size(0), image.size(1), image.size(2)}, at::kByte);
      place(image, down.data_ptr<int64_t>()[i] - augmentation_.crop, right.data_ptr<int64_t>()[i] - augmentation_.crop,
            augmentation_.flip && flip.data_ptr<int64_t>()[i] == 1, static_cast<uint8_t>(augmentation_.crop_fill),
            batch.images.data_ptr<uint8_t>() + i * image.numel());
    }
    if (images_.labelled()) batch.labels = at::tensor(labels, at::kLong);
    if (images_.answered()) batch.answers = at::stack(answers);
    return batch;
  }

 private:
  /// The random crop of image number `number`.
  Tensor cut(int64_t row, int64_t number) const {
    constexpr uint64_t kFirst = 3;  // the streams before are those of moves and flips
    const auto uniform = [&](uint64_t which) {
      return Noise(seed_ + kFirst + which, {number}, {1}).uniform(0).item<double>();
    };
    return random_crop(images_.whole(row), augmentation_.side, augmentation_.resize,
                       {uniform(0), uniform(1), uniform(2)});
  }

  const TrainingImages& images_;
  Augmentation augmentation_;
  int64_t batch_;
  Rows rows_;
  uint64_t seed_;
  Shuffle order_;
};

struct Loader::State {
  struct Made {
    Batch batch;
    std::exception_ptr problem;
  };

  State(const TrainingImages& images_, Augmentation augmentation, int64_t batch, Rows rows, uint64_t seed,
        int64_t first, int64_t last_, int64_t workers)
      : images(images_), make(images, augmentation, batch, rows, seed), to_make(first), to_take(first), last(last_) {
    constexpr int64_t kAhead = 2;  // batches a worker may have ready
    most = kAhead * workers;
    for (int64_t i = 0; i < workers; ++i) {
      threads.emplace_back([this, maker = Maker(images, augmentation, batch, rows, seed)]() mutable { work(maker); });
    }
  }

  void work(Maker& maker) {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return stop || to_make >= last || to_make < to_take + most; });
      if (stop || to_make >= last) return;
      const int64_t step = to_make++;
      lock.unlock();
      Made made;
      try {
        made.batch = maker(step);
      } catch (...) {
        made.problem = std::current_exception();
      }
      lock.lock();
      ready[step] = std::move(made);
      changed.notify_all();
    }
  }

  TrainingImages images;
  Maker make;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<int64_t, Made> ready;
  int64_t to_make, to_take, last;
  int64_t most = 0;
  bool stop = false;
  std::vector<std::thread> threads;
};

Loader::Loader(const TrainingImages& images, Augmentation augmentation, int64_t batch, Rows rows, uint64_t seed,
               int64_t first_step, int64_t last_step, int64_t workers)
    : state_(std::make_unique<State>(images, augmentation, batch, rows, seed, first_step, last_step, workers)) {}

Loader::~Loader() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

Batch Loader::next() {
  State& s = *state_;
  if (s.threads.empty()) return s.make(s.to_take++);
  std::unique_lock lock(s.mutex);
  s.changed.wait(lock, [&] { return s.ready.count(s.to_take) > 0; });
  State::Made made = std::move(s.ready.at(s.to_take));
  s.ready.erase(s.to_take++);
  s.changed.notify_all();
  if (made.problem) std::rethrow_exception(made.problem);
  return std::move(made.batch);
}

}  // namespace sextant::training
