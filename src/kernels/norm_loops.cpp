#include "norm_loops.h"

#include <ATen/Parallel.h>

#include "norm_parts.h"

namespace sextant::kernels {
namespace {

// Sums run in float32 over this many pixels and in float64 beyond.
constexpr int64_t kPixelsPerSum = 64;
// An image is summed in sections, the sums of which are added in order: threads share sections, so what is added to
// what does not depend on their number, nor on the batch.
constexpr int64_t kMostSections = 32;

int64_t resampled(int64_t size, Resampling resampling) {
  return resampling == Resampling::kHalve ? size / 2 : resampling == Resampling::kDouble ? size * 2 : size;
}

/// `count` things cut into `pieces`: the first of piece `i`.
int64_t cut(int64_t count, int64_t pieces, int64_t i) { return count * i / pieces; }

/// One group norm of a batch. Images are dealt to threads whole, or in `chunks` pieces where there are too few.
template <class T>
class Loops {
 public:
  Loops(const Images& x, const GroupNorm& norm)
      : x_(x),
        norm_(norm),
        C_(x.channels),
        pixels_(x.height * x.width),
        weight_(norm.weight),
        bias_(norm.bias),
        added_(norm.added),
        scale_(norm.scale),
        shift_(norm.shift) {
    const int64_t threads = at::get_num_threads();
    const bool many = x.batch >= 4 * threads || x.batch % threads == 0;
    sections_ = std::min((pixels_ + kPixelsPerSum - 1) / kPixelsPerSum, kMostSections);
    bands_ = std::min(x.height, kMostSections);
    chunks_ = many ? 1 : std::max<int64_t>(1, std::min(threads, x.height / 2));
  }

  void forward(float* statistics, const Tensor& y) const {
    if (chunks_ == 1) {  // in one go: applying finds the image in the cache
      at::parallel_for(0, x_.batch, 1, [&](int64_t begin, int64_t end) {
        std::vector<double> sums(sections_ * 2 * C_);
        for (int64_t image = begin; image < end; ++image) {
          float* const of_image = statistics + image * kStatistics * C_;
          measure(image, 0, sums.data());
          solve(image, sums.data(), of_image);
          apply(image, 0, of_image, y);
        }
      });
      return;
    }
    std::vector<double> sums(x_.batch * sections_ * 2 * C_);
    const auto sums_of = [&](int64_t image) { return &sums[image * sections_ * 2 * C_]; };
    in_chunks([&](int64_t image, int64_t chunk) { measure(image, chunk, sums_of(image)); });
    for (int64_t image = 0; image < x_.batch; ++image) {
      solve(image, sums_of(image), statistics + image * kStatistics * C_);
    }
    in_chunks([&](int64_t image, int64_t chunk) { apply(image, chunk, statistics + image * kStatistics * C_, y); });
  }

  void apply_all(const float* statistics, const Tensor& y) const {
    in_chunks([&](int64_t image, int64_t chunk) { apply(image, chunk, statistics + image * kStatistics * C_, y); });
  }

  void backward(const float* statistics, const Tensor& dy, const std::vector<Tensor>& dx, double* sums_out) const {
    std::vector<double> sums(x_.batch * bands_ * 2 * C_);
    const auto sums_of = [&](int64_t image) { return &sums[image * bands_ * 2 * C_]; };
    std::vector<float> lines(x_.batch * 2 * C_);  // slope and shift
    in_chunks([&](int64_t image, int64_t chunk) {
      measure_gradient(image, chunk, statistics + image * kStatistics * C_, dy, dx, sums_of(image));
    });
    for (int64_t image = 0; image < x_.batch; ++image) {
      solve_gradient(statistics + image * kStatistics * C_, sums_of(image), &lines[image * 2 * C_]);
      std::copy_n(sums_of(image), 2 * C_, sums_out + image * 2 * C_);
    }
    in_chunks([&](int64_t image, int64_t chunk) {
      combine(image, chunk, statistics + image * kStatistics * C_, &lines[image * 2 * C_], dx);
    });
  }

 private:
  template <class Task>
  void in_chunks(const Task& task) const {
    at::parallel_for(0, x_.batch * chunks_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) task(i / chunks_, i % chunks_);
    });
  }

  /// f(part, its first channel) for each part of x.
  template <class F>
  void each_part(const F& f) const {
    int64_t first = 0;
    for (std::size_t i = 0; i < x_.parts.size(); ++i) {
      f(i, first, x_.parts[i].size(1));
      first += x_.parts[i].size(1);
    }
  }

  const T* image_of(std::size_t part, int64_t image) const {
    return data<T>(x_.parts[part]) + image * pixels_ * x_.parts[part].size(1);
  }

  /// Sums of x - origin and of its square [sections, 2, C] over one chunk's sections; the origin of a channel is its
  /// first pixel.
  void measure(int64_t image, int64_t chunk, double* sums) const {
    for (int64_t s = cut(sections_, chunks_, chunk); s < cut(sections_, chunks_, chunk + 1); ++s) {
      measure_section(image, s, sums + s * 2 * C_);
    }
  }

  void measure_section(int64_t image, int64_t section, double* sums) const {
    const int64_t windows = (pixels_ + kPixelsPerSum - 1) / kPixelsPerSum;
    const int64_t first = cut(windows, sections_, section) * kPixelsPerSum;
    const int64_t last = std::min(pixels_, cut(windows, sections_, section + 1) * kPixelsPerSum);
    std::fill_n(sums, 2 * C_, 0.0);
    float* const partial = scratch(2 * C_);
    each_part([&](std::size_t part, int64_t offset, int64_t channels) {
      const T* const origin = image_of(part, image);
      for (int64_t pixel = first; pixel < last; pixel += kPixelsPerSum) {
        loop(Moments<T>{origin + pixel * channels, origin, std::min(kPixelsPerSum, last - pixel), channels, partial,
                        partial + channels});
        add(partial, channels, offset, sums);
      }
    });
  }

  /// partial [2, channels] to the sums of those channels.
  void add(const float* partial, int64_t channels, int64_t offset, double* sums) const {
    for (int64_t c = 0; c < channels; ++c) {
      sums[offset + c] += partial[c];
      sums[C_ + offset + c] += partial[channels + c];
    }
  }

  /// The first part's sums become those of the whole image.
  void gather(double* sums, int64_t parts) const {
    for (int64_t part = 1; part < parts; ++part) {
      for (int64_t i = 0; i < 2 * C_; ++i) sums[i] += sums[part * 2 * C_ + i];
    }
  }

  void solve(int64_t image, double* sums, float* statistics) const {
    gather(sums, sections_);
    // From here on: mean of each channel, with what is added to it, and mean square of its deviation from that.
    each_part([&](std::size_t part, int64_t offset, int64_t channels) {
      const T* const origin = image_of(part, image);
      for (int64_t c = 0; c < channels; ++c) {
        double& mean = sums[offset + c];
        double& square = sums[C_ + offset + c];
        mean /= static_cast<double>(pixels_);
        square = std::max(0.0, square / static_cast<double>(pixels_) - mean * mean);
        mean += to_float(origin[c]) + added_.at(image, offset + c);
      }
    });
    const int64_t width = C_ / norm_.groups;
    for (int64_t first = 0; first < C_; first += width) {
      double mean = 0;
      double variance = 0;
      for (int64_t c = first; c < first + width; ++c) mean += sums[c] / static_cast<double>(width);
      for (int64_t c = first; c < first + width; ++c) {
        variance += (sums[C_ + c] + (sums[c] - mean) * (sums[c] - mean)) / static_cast<double>(width);
      }
      const double inverse = 1 / std::sqrt(variance + norm_.eps);
      for (int64_t c = first; c < first + width; ++c) {
        const double centre = mean - added_.at(image, c);
        const double gain = 1 + scale_.at(image, c);
        const double factor = inverse * weight_.at(image, c);
        statistics[kFactor * C_ + c] = static_cast<float>(factor * gain);
        statistics[kOffset * C_ + c] =
            static_cast<float>((bias_.at(image, c) - centre * factor) * gain + shift_.at(image, c));
        statistics[kCentre * C_ + c] = static_cast<float>(centre);
        statistics[kInverse * C_ + c] = static_cast<float>(inverse);
      }
    }
  }

  void apply(int64_t image, int64_t chunk, const float* statistics, const Tensor& y) const {
    const int64_t rows = norm_.resampling == Resampling::kHalve ? x_.height / 2 : x_.height;
    T* const image_y = mutable_data<T>(y) + image * y.size(2) * y.size(3) * C_;
    each_part([&](std::size_t part, int64_t offset, int64_t channels) {
      loop(Affine<T>{image_of(part, image), statistics + kFactor * C_ + offset, statistics + kOffset * C_ + offset,
                     image_y + offset, C_, channels, x_.width, rows * chunk / chunks_, rows * (chunk + 1) / chunks_,
                     norm_.silu, norm_.resampling});
    });
  }

  /// dz in place of dx, and the sums [bands, 2, C] over one chunk's bands of rows of dz and dz (x - centre).
  void measure_gradient(int64_t image, int64_t chunk, const float* statistics, const Tensor& dy,
                        const std::vector<Tensor>& dx, double* sums) const {
    float* const partial = scratch(2 * C_);
    const T* const image_dy = data<T>(dy) + image * dy.size(2) * dy.size(3) * C_;
    each_part([&](std::size_t part, int64_t offset, int64_t channels) {
      T* const dz = mutable_data<T>(dx[part]) + image * pixels_ * channels;
      for (int64_t band = cut(bands_, chunks_, chunk); band < cut(bands_, chunks_, chunk + 1); ++band) {
        for (int64_t row = cut(x_.height, bands_, band); row < cut(x_.height, bands_, band + 1); ++row) {
          loop(AffineGradient<T>{image_of(part, image), image_dy + offset, dz, C_, statistics + kFactor * C_ + offset,
                                 statistics + kOffset * C_ + offset, statistics + kCentre * C_ + offset, channels,
                                 x_.height, x_.width, row, norm_.silu, norm_.resampling, partial, partial + channels});
          add(partial, channels, offset, sums + band * 2 * C_);
        }
      }
    });
  }

  /// With z = factor (x - centre) + const and n numbers in a group,
  /// dx = factor dz - inverse^2 (x - centre) sum(factor dz (x - centre)) / n - sum(factor dz) / n.
  void solve_gradient(const float* statistics, double* sums, float* lines) const {
    gather(sums, bands_);
    const int64_t width = C_ / norm_.groups;
    const double n = static_cast<double>(width * pixels_);
    for (int64_t first = 0; first < C_; first += width) {
      double sum = 0;
      double weighted = 0;
      for (int64_t c = first; c < first + width; ++c) {
        sum += statistics[kFactor * C_ + c] * sums[c];
        weighted += statistics[kFactor * C_ + c] * sums[C_ + c];
      }
      const double inverse = statistics[kInverse * C_ + first];
      std::fill_n(lines + first, width, static_cast<float>(-inverse * inverse * weighted / n));
      std::fill_n(lines + C_ + first, width, static_cast<float>(-sum / n));
    }
  }

  void combine(int64_t image, int64_t chunk, const float* statistics, const float* lines,
               const std::vector<Tensor>& dx) const {
    const int64_t first = x_.height * chunk / chunks_ * x_.width, last = x_.height * (chunk + 1) / chunks_ * x_.width;
    each_part([&](std::size_t part, int64_t offset, int64_t channels) {
      loop(Combination<T>{mutable_data<T>(dx[part]) + (image * pixels_ + first) * channels,
                          image_of(part, image) + first * channels, statistics + kFactor * C_ + offset, lines + offset,
                          statistics + kCentre * C_ + offset, lines + C_ + offset, last - first, channels});
    });
  }

  const Images& x_;
  const GroupNorm& norm_;
  int64_t C_;
  int64_t pixels_;
  int64_t chunks_;    ///< of an image, each one thread's
  int64_t sections_;  ///< of an image's pixels, summed one by one
  int64_t bands_;     ///< of its rows, on the way back
  PerChannel weight_, bias_, added_, scale_, shift_;
};

/// f(Loops of x's dtype)
template <class F>
void with_loops(const Images& x, const GroupNorm& norm, const F& f) {
  x.parts[0].scalar_type() == at::kFloat ? f(Loops<float>(x, norm)) : f(Loops<Bf16>(x, norm));
}

Tensor empty_result(const Images& x, Resampling resampling) {
  return empty_images(x.parts[0], x.batch, x.channels, resampled(x.height, resampling), resampled(x.width, resampling));
}

}  // namespace

std::pair<Tensor, Tensor> norm_forward(const Images& x, const GroupNorm& norm) {
  const Tensor statistics = at::empty({x.batch, kStatistics, x.channels}, at::kFloat);
  const Tensor y = empty_result(x, norm.resampling);
  with_loops(x, norm, [&](const auto& loops) { loops.forward(statistics.data_ptr<float>(), y); });
  return {y, statistics};
}

NormGradient norm_backward(const Images& x, const GroupNorm& norm, const Tensor& statistics, const Tensor& dy) {
  NormGradient gradient;
  gradient.sums = at::empty({x.batch, 2, x.channels}, at::kDouble);
  std::vector<Tensor>& dx = gradient.dx;
  for (const Tensor& part : x.parts) dx.push_back(empty_images(part, x.batch, part.size(1), x.height, x.width));
  const Tensor aligned = channels_last(dy);
  with_loops(x, norm, [&](const auto& loops) {
    loops.backward(statistics.data_ptr<float>(), aligned, dx, gradient.sums.data_ptr<double>());
  });
  return gradient;
}

Tensor norm_apply(const Images& x, const GroupNorm& norm, const Tensor& statistics) {
  const Tensor y = empty_result(x, norm.resampling);
  with_loops(x, norm, [&](const auto& loops) { loops.apply_all(statistics.data_ptr<float>(), y); });
  return y;
}

}  // namespace sextant::kernels
