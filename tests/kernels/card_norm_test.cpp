// The CUDA kernels of group norm against its plain twin: their threads one after the other, on the CPU.
#include <torch/csrc/autograd/autograd.h>

#include "cuda/norm_gradient_bodies.h"
#include "internal/kernels/norm.h"
#include "support/golden.h"

namespace sextant::kernels {
namespace {

using cuda::Affines;
using cuda::Moments;
using cuda::Sums;
using testing::Tolerance;

struct CardNormCase {
  const char* name;
  int64_t batch, first, second, groups, height, width;  ///< channels of the two parts
  bool modulated, added, silu;
};

void PrintTo(const CardNormCase& c, std::ostream* out) { *out << c.name; }

template <class Body>
void each(int64_t count, const Body& body) {
  for (uint32_t i = 0; i < count; ++i) body(i);
}

template <class T>
const T* data(const Tensor& x) {
  return x.defined() ? x.data_ptr<T>() : nullptr;
}

class CardNorm : public ::testing::TestWithParam<std::tuple<CardNormCase, at::ScalarType>> {
 protected:
  CardNorm() {
    at::manual_seed(1);
    const auto images = [&](int64_t channels) {
      return (2 * at::randn({c_.batch, channels, c_.height, c_.width}) + 30)
          .to(type_)
          .contiguous(at::MemoryFormat::ChannelsLast);
    };
    first_ = images(c_.first);
    if (c_.second > 0) second_ = images(c_.second);
    norm_.groups = c_.groups;
    norm_.weight = at::randn({channels()});
    norm_.bias = at::randn({channels()});
    if (c_.modulated) {
      const Tensor both = at::randn({c_.batch, 2 * channels()});
      norm_.scale = both.narrow(1, 0, channels());
      norm_.shift = both.narrow(1, channels(), channels());
    }
    if (c_.added) norm_.added = 5 * at::randn({c_.batch, channels()});
    norm_.silu = c_.silu;
    dy_ = at::randn({c_.batch, channels(), c_.height, c_.width}).to(type_).contiguous(at::MemoryFormat::ChannelsLast);
  }

  int64_t channels() const { return c_.first + c_.second; }
  int64_t pixels() const { return c_.height * c_.width; }

  /// y, and dx of both parts for dy_, kWidth channels at a time.
  template <class T, int kWidth>
  std::vector<Tensor> by_bodies() const {
    const int64_t C = channels(), B = c_.batch, P = pixels();
    const cuda::Parts<T, kWidth> x{data<T>(first_), data<T>(second_), c_.first, C, P};
    const cuda::NormParameters<float> norm{data<float>(norm_.weight),
                                           data<float>(norm_.bias),
                                           data<float>(norm_.added),
                                           data<float>(norm_.scale),
                                           data<float>(norm_.shift),
                                           norm_.groups,
                                           C,
                                           2 * C,
                                           static_cast<float>(norm_.eps),
                                           norm_.silu};
    const int64_t chunks = cuda::chunks_of(P), rows = cuda::row_groups(P), packs = B * C / kWidth;
    std::vector<Moments> chunk(static_cast<std::size_t>(B * C * chunks)), channel(static_cast<std::size_t>(B * C));
    const Tensor numbers = at::empty({4, B, C});
    const Affines affine{numbers.data_ptr<float>(), B * C};
    const Tensor y = at::empty_like(dy_);
    each(packs * chunks, cuda::ChunkMoments<T, kWidth>{x, chunk.data()});
    each(B * C, cuda::ChannelMoments{chunk.data(), channel.data(), chunks, C});
    each(B * C, cuda::GroupAffine<float>{channel.data(), affine, norm, C});
    each(packs * rows, cuda::Normalised<T, kWidth>{x, affine, y.data_ptr<T>(), norm_.silu});

    std::vector<Sums> sums(chunk.size()), of_channel(channel.size()), of_group(channel.size());
    const Tensor dfirst = at::empty_like(first_), dsecond = second_.defined() ? at::empty_like(second_) : Tensor();
    each(packs * chunks, cuda::ChunkSums<T, kWidth>{x, data<T>(dy_), affine, sums.data(), norm_.silu});
    each(B * C, cuda::ChannelSums{sums.data(), of_channel.data(), chunks, C});
    each(B * C, cuda::GroupSums{of_channel.data(), affine, of_group.data(), C, norm_.groups, P});
    each(packs * rows, cuda::Gradient<T, kWidth>{x, data<T>(dy_), affine, of_group.data(), dfirst.data_ptr<T>(),
                                                 dsecond.defined() ? dsecond.data_ptr<T>() : nullptr, norm_.silu});
    return {y, dfirst, dsecond};
  }

  /// The norm's result halved and doubled.
  template <class T, int kWidth>
  std::vector<Tensor> resampled() const {
    const int64_t C = channels(), B = c_.batch, P = pixels();
    const cuda::Parts<T, kWidth> x{data<T>(first_), data<T>(second_), c_.first, C, P};
    const Tensor numbers = at::randn({4, B, C});
    const Affines affine{numbers.data_ptr<float>(), B * C};
    const auto options = dy_.options().memory_format(at::MemoryFormat::ChannelsLast);
    const Tensor y = at::empty_like(dy_), half = at::empty({B, C, c_.height / 2, c_.width / 2}, options),
                 twice = at::empty({B, C, 2 * c_.height, 2 * c_.width}, options);
    each(B * C / kWidth * cuda::row_groups(P), cuda::Normalised<T, kWidth>{x, affine, y.data_ptr<T>(), norm_.silu});
    each(B * C / kWidth * P / 4,
         cuda::Resampled<T, kWidth>{x, affine, half.data_ptr<T>(), c_.width / 2, norm_.silu, false});
    each(B * C / kWidth * P, cuda::Resampled<T, kWidth>{x, affine, twice.data_ptr<T>(), c_.width, norm_.silu, true});
    return {y, half, twice};
  }

  template <class T>
  std::vector<Tensor> by_bodies(bool wide) const {
    constexpr int kWidth = 16 / sizeof(T);
    return wide ? by_bodies<T, kWidth>() : by_bodies<T, 1>();
  }

  /// The same of the plain twin, in float64.
  std::vector<Tensor> expected() const {
    GroupNorm norm = norm_;
    for (Tensor* tensor : {&norm.weight, &norm.bias, &norm.added, &norm.scale, &norm.shift}) {
      if (tensor->defined()) *tensor = tensor->to(at::kDouble);
    }
    std::vector<Tensor> x = {first_.to(at::kDouble).requires_grad_()};
    if (second_.defined()) x.push_back(second_.to(at::kDouble).requires_grad_());
    const Tensor y = group_norm_plain(x, norm);
    std::vector<Tensor> all = torch::autograd::grad({y}, {x.begin(), x.end()}, {dy_.to(at::kDouble)});
    all.insert(all.begin(), y.detach());
    return all;
  }

  CardNormCase c_ = std::get<0>(GetParam());
  at::ScalarType type_ = std::get<1>(GetParam());
  Tensor first_, second_, dy_;
  GroupNorm norm_;
};

TEST_P(CardNorm, ComputesWhatThePlainTwinDoesInFloat64) {
  const std::vector<Tensor> right = expected();
  const Tolerance tolerance = type_ == at::kFloat      ? Tolerance{1e-5, 1e-5}
                              : type_ == at::kBFloat16 ? Tolerance{2e-3, 5e-3}
                                                       : Tolerance{5e-4, 1e-3};
  const int64_t width = type_ == at::kFloat ? 4 : 8;
  for (const bool wide : {false, true}) {
    if (wide && (c_.first % width != 0 || c_.second % width != 0)) continue;
    const std::vector<Tensor> got = type_ == at::kFloat      ? by_bodies<float>(wide)
                                    : type_ == at::kBFloat16 ? by_bodies<at::BFloat16>(wide)
                                                             : by_bodies<at::Half>(wide);
    for (std::size_t i = 0; i < right.size(); ++i) EXPECT_TENSOR_NEAR(got[i], right[i], tolerance);
  }
}

TEST_P(CardNorm, ResamplesItsResult) {
  if (c_.height % 2 != 0 || c_.width % 2 != 0) GTEST_SKIP() << "halves even sides only";
  const bool wide = c_.first % 8 == 0 && c_.second % 8 == 0;
  const auto got = type_ == at::kFloat      ? resampled<float, 4>()
                   : type_ == at::kBFloat16 ? (wide ? resampled<at::BFloat16, 8>() : resampled<at::BFloat16, 1>())
                                            : (wide ? resampled<at::Half, 8>() : resampled<at::Half, 1>());
  const Tensor y = got[0].to(at::kDouble);
  const double bits = type_ == at::kFloat ? 1e-6 : type_ == at::kBFloat16 ? 8e-3 : 1e-3;
  EXPECT_TENSOR_NEAR(got[1], at::avg_pool2d(y, 2), (Tolerance{40 * bits, bits}));  // rounded once instead of twice
  EXPECT_TENSOR_NEAR(got[2], at::upsample_nearest2d(y, {2 * c_.height, 2 * c_.width}), (Tolerance{0, 0}));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, CardNorm,
    ::testing::Combine(::testing::Values(CardNormCase{"block", 2, 32, 0, 8, 9, 11, false, false, true},
                                         CardNormCase{"modulated", 2, 64, 0, 32, 8, 8, true, false, true},
                                         CardNormCase{"added_without_silu", 3, 24, 0, 4, 5, 3, false, true, false},
                                         CardNormCase{"concatenated", 2, 20, 12, 8, 13, 7, true, true, true},
                                         CardNormCase{"even", 2, 24, 8, 4, 6, 10, false, false, true},
                                         CardNormCase{"one_pixel", 1, 16, 16, 4, 1, 1, false, false, true}),
                       ::testing::Values(at::kFloat, at::kBFloat16, at::kHalf)),
    [](const auto& info) {
      const at::ScalarType type = std::get<1>(info.param);
      return std::string(std::get<0>(info.param).name) + (type == at::kFloat      ? "_float32"
                                                          : type == at::kBFloat16 ? "_bfloat16"
                                                                                  : "_float16");
    });

TEST(CardNorm, LosesNoDigitsFarFromZero) {
  const Tensor x = (at::randn({1, 300, 8}) + 1e4).contiguous();  // [B, P, C]
  const auto chunks = static_cast<std::size_t>(cuda::chunks_of(300));
  std::vector<Moments> chunk(chunks * 8), channel(8);
  const cuda::Parts<float, 4> parts{x.data_ptr<float>(), nullptr, 8, 8, 300};
  each(cuda::chunks_of(300) * 2, cuda::ChunkMoments<float, 4>{parts, chunk.data()});
  each(8, cuda::ChannelMoments{chunk.data(), channel.data(), cuda::chunks_of(300), 8});
  const Tensor wide = x.to(at::kDouble);
  const Tensor mean = wide.mean(1)[0], variance = wide.var(1, /*unbiased=*/false)[0];
  for (int64_t c = 0; c < 8; ++c) {
    const Moments m = channel[static_cast<std::size_t>(c)];
    EXPECT_EQ(m.count, 300);
    EXPECT_NEAR(m.mean, mean[c].item<double>(), 1e-3);
    EXPECT_NEAR(m.m2 / m.count, variance[c].item<double>(), 1e-3 * variance[c].item<double>());
  }
}

}  // namespace
}  // namespace sextant::kernels
