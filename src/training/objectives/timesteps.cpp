#include <c10/util/StringUtil.h>

#include <algorithm>

#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"
#include "sextant/training/objectives.h"
#include "streams.h"

namespace sextant::training {
namespace {

constexpr int64_t kHistory = 10;
constexpr double kUniformShare = 0.001;

/// One uniform number an image, [B] in [0, 1).
Tensor uniforms(uint64_t seed, const std::vector<int64_t>& number) {
  return Noise(seed, number, {1}).uniform(0).flatten().to(at::kDouble);
}

}  // namespace

Tensor spread_timesteps(int64_t first, int64_t count, int64_t num_steps) {
  constexpr double kGolden = 0.61803398874989484820;
  const Tensor place = (at::arange(first, first + count, at::kDouble) * kGolden).frac();
  return (place * static_cast<double>(num_steps)).to(at::kLong).clamp_max(num_steps - 1);
}

TimestepSampler::TimestepSampler(Timesteps kind, int64_t steps, uint64_t seed)
    : history(at::zeros({kind == Timesteps::kLossSecondMoment ? steps : 0, kHistory})),
      counts(at::zeros({history.size(0)}, at::kLong)),
      kind_(kind),
      steps_(steps),
      seed_(stream(seed, Purpose::kTimestep)) {}

TimestepSampler::Drawn TimestepSampler::draw(const std::vector<int64_t>& number, int64_t whole) const {
  const auto count = static_cast<int64_t>(number.size());
  const auto T = static_cast<double>(steps_);
  Tensor u = uniforms(seed_, number);
  const Tensor ones = at::ones({count}, at::kFloat);
  if (kind_ == Timesteps::kStratified) {
    const int64_t strata = whole > 0 ? whole : count;
    const Tensor row = whole > 0 ? at::tensor(number, at::kLong).remainder(whole) : at::arange(count, at::kLong);
    u = (row.to(at::kDouble) + u) / static_cast<double>(strata);
  }
  const bool warmed_up = kind_ == Timesteps::kLossSecondMoment && (counts == kHistory).all().item<bool>();
  if (!warmed_up) return {(u * T).to(at::kLong).clamp(0, steps_ - 1), ones};

  Tensor p = history.to(at::kDouble).square().mean(1).sqrt();
  p = p / p.sum() * (1 - kUniformShare) + kUniformShare / T;
  const Tensor t = at::searchsorted(p.cumsum(0), u.contiguous(), false, /*right=*/true).clamp(0, steps_ - 1);
  return {t, (1 / (T * p.index_select(0, t))).to(at::kFloat)};
}

void TimestepSampler::note(const std::vector<int64_t>& number, const Tensor& t, const Tensor& losses) {
  if (kind_ != Timesteps::kLossSecondMoment) return;
  const auto column = [](const Tensor& x) { return x.detach().to(at::kCPU, at::kDouble); };
  noted_.push_back(at::stack({column(at::tensor(number, at::kLong)), column(t), column(losses)}, 1));
}

void TimestepSampler::end_batch(const Gather& gather) {
  if (kind_ != Timesteps::kLossSecondMoment) return;
  const Tensor all = gather(noted_.empty() ? at::empty({0, 3}, at::kDouble) : at::cat(noted_));
  noted_.clear();
  const Tensor rows = all.index_select(0, all.select(1, 0).argsort());
  for (int64_t i = 0; i < rows.size(0); ++i) {
    const double* const row = rows.data_ptr<double>() + i * 3;
    const auto t = static_cast<int64_t>(row[1]);
    float* const losses = history.data_ptr<float>() + t * kHistory;
    int64_t& seen = counts.data_ptr<int64_t>()[t];
    if (seen < 0 || seen > kHistory) {  // as read from a file
      throw CheckpointError(c10::str("the training's state is damaged: of timestep ", t, " it has ", seen,
                                     " losses, which are 0 to ", kHistory));
    }
    if (seen == kHistory) {
      std::rotate(losses, losses + 1, losses + kHistory);
    } else {
      ++seen;
    }
    losses[seen - 1] = static_cast<float>(row[2]);
  }
}

}  // namespace sextant::training
