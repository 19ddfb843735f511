#include "internal/networks/shared_norms.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sextant::networks {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

thread_local const SharedNorms* latest = nullptr;

/// What the numbers of each channel are in all shares.
struct Statistics {
  double count;   ///< numbers of a channel
  Tensor mean;    ///< [C] float64 on the CPU
  Tensor square;  ///< sum of (x - mean)^2, likewise
};

Tensor exact(const Tensor& x) { return x.to(at::kCPU, at::kDouble); }

/// Sums are of x - `near`, the same numbers in all processes: where it is close to the mean, squares that nearly cancel
/// do not come up.
Statistics statistics_of(const Tensor& x, const Tensor& near, const SumOverProcesses& sum) {
  const int64_t C = x.size(1);
  const Tensor sums = at::zeros({2 * C + 1}, at::kDouble);
  if (x.numel() > 0) {
    const auto count = static_cast<double>(x.numel()) / static_cast<double>(C);
    const auto [variance, mean] = at::var_mean(x, at::IntArrayRef({0, 2, 3}), /*unbiased=*/false);
    const Tensor both = exact(at::stack({mean, variance}));
    const Tensor off = both[0] - near;
    sums[0].fill_(count);
    sums.narrow(0, 1, C).copy_(off * count);
    sums.narrow(0, 1 + C, C).copy_((both[1] + off.square()) * count);
  }
  sum(sums);
  const double count = sums[0].item<double>();
  const Tensor off = sums.narrow(0, 1, C) / count;
  return {count, near + off, (sums.narrow(0, 1 + C, C) - off.square() * count).clamp_min(0)};
}

Tensor per_channel(const Tensor& x) { return x.view({1, -1, 1, 1}); }

class Normalised : public torch::autograd::Function<Normalised> {
 public:
  /// `mean` and `variance` [C] of `count` numbers in all processes.
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const Tensor& mean, const Tensor& variance, double count, double eps,
                        const SumOverProcesses& sum) {
    context->save_for_backward({x, weight, mean, (variance + eps).rsqrt()});
    context->saved_data["count"] = count;
    context->saved_data["sum"] = c10::IValue::make_capsule(c10::make_intrusive<Held>(sum));
    return at::batch_norm(x, weight, bias, mean, variance, /*training=*/false, 0, eps, true);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::NoGradGuard no_grad;
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &scale = saved[3];
    const Tensor& g = gradients[0];
    const std::vector<int64_t> others = {0, 2, 3};
    const Tensor z = (x - per_channel(mean)).mul_(per_channel(scale));
    const Tensor mine = at::stack({g.sum(others), (g * z).sum(others)});
    const Tensor sums = exact(mine).clone();
    const auto held = context->saved_data["sum"].toCapsule();
    static_cast<Held&>(*held).sum(sums);
    const Tensor means = (sums / context->saved_data["count"].toDouble()).to(mine.options());
    const Tensor at_x =
        (g - z.mul_(per_channel(means[1])).add_(per_channel(means[0]))).mul_(per_channel(weight * scale));
    return {at_x, mine[1], mine[0], Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
  }

 private:
  struct Held : torch::CustomClassHolder {
    explicit Held(SumOverProcesses given) : sum(std::move(given)) {}
    SumOverProcesses sum;
  };
};

}  // namespace

SharedNorms::SharedNorms(SumOverProcesses sum) : sum_(std::move(sum)), before_(latest) { latest = this; }

SharedNorms::~SharedNorms() { latest = before_; }

const SumOverProcesses* SharedNorms::sum() { return latest == nullptr ? nullptr : &latest->sum_; }

Tensor shared_batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                         const Tensor& running_var, double momentum, double eps, const SumOverProcesses& sum) {
  Tensor mean, variance;
  double count = 0;
  {
    const at::NoGradGuard no_grad;
    const Statistics all = statistics_of(x, exact(running_mean), sum);
    count = all.count;
    const auto move = [momentum](const Tensor& running, const Tensor& to) {
      Tensor(running).copy_(exact(running) * (1 - momentum) + to * momentum);
    };
    move(running_mean, all.mean);
    move(running_var, all.square / (all.count - 1));
    mean = all.mean.to(x.options());
    variance = (all.square / all.count).to(x.options());
  }
  return Normalised::apply(x, weight, bias, mean, variance, count, eps, sum);
}

}  // namespace sextant::networks
