// The four preconditionings of NVlabs/edm around a raw network F (Karras et al. 2022, table 1):
//
//   D(x; sigma) = c_skip x + c_out F(c_in x; c_noise)
//
//   scheme  c_skip                 c_out                     c_in                  c_noise
//   VP      1                      -sigma                    1/sqrt(sigma^2+1)     (M-1) t(sigma)
//   VE      1                      sigma                     1                     log(sigma/2)
//   iDDPM   1                      -sigma                    1/sqrt(sigma^2+1)     M-1 - index of the nearest u
//   EDM     s^2/(sigma^2+s^2)      sigma s/sqrt(sigma^2+s^2) 1/sqrt(sigma^2+s^2)   log(sigma)/4     s = sigma_data
#include "edm/preconditioning.h"

#include <cmath>
#include <limits>

#include "edm/labels.h"
#include "edm/unet.h"
#include "internal/runtime/pointwise.h"
#include "internal/runtime/sine.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"

namespace sextant::networks::edm {
namespace {

struct Scales {
  Tensor skip, out, in;  ///< [B or 1, 1, 1, 1]
  Tensor noise;          ///< [B or 1]
};

class Preconditioned : public EdmDenoiser {
 public:
  explicit Preconditioned(ConfigReader& config, int64_t outputs_per_channel, const std::string& default_type)
      : resolution_(config.required<int64_t>("img_resolution")),
        channels_(config.required<int64_t>("img_channels")),
        label_dim_(config.optional<int64_t>("label_dim", 0)) {
    config.ignore("use_fp16");  // the precision is the user's choice
    network_ = make_raw_network(Scope(parameters_) / "model", config, default_type, resolution_, channels_,
                                channels_ * outputs_per_channel, label_dim_);
  }

  Tensor denoise(const Tensor& image, const Tensor& noise_level, const Tensor& labels) const override {
    const at::ScalarType type = compute_type() == at::kDouble ? at::kDouble : at::kFloat;
    const Tensor x = image.to(type);
    check_input("EdmDenoiser::denoise", x, noise_level, image_shape());
    const Tensor sigma = noise_level.to(x.device(), type).reshape({-1, 1, 1, 1});
    const Tensor rows = label_rows("EdmDenoiser::denoise", labels, x.size(0), label_dim_, x.options());
    const Scales c = scales(sigma);
    const Tensor raw = network_->forward((c.in * x).to(compute_type()), c.noise, rows).to(type);
    return c.skip * x + c.out * raw.narrow(1, 0, channels_);  // iDDPM's second half is a variance
  }

  std::vector<int64_t> image_shape() const override { return {channels_, resolution_, resolution_}; }
  int64_t num_classes() const override { return label_dim_; }

 protected:
  virtual Scales scales(const Tensor& sigma) const = 0;
  void prepare() override { network_->lay_out(); }

 private:
  int64_t resolution_;
  int64_t channels_;
  int64_t label_dim_;
  std::unique_ptr<RawNetwork> network_;
};

class VpPrecond : public Preconditioned {
 public:
  explicit VpPrecond(ConfigReader& config)
      : Preconditioned(config, 1, "SongUNet"),
        beta_d_(config.optional<double>("beta_d", 19.9)),
        beta_min_(config.optional<double>("beta_min", 0.1)),
        M_(config.optional<int64_t>("M", 1000)),
        epsilon_t_(config.optional<double>("epsilon_t", 1e-5)) {}

  double sigma_min() const override { return sigma_at(epsilon_t_); }
  double sigma_max() const override { return sigma_at(1); }

 protected:
  Scales scales(const Tensor& sigma) const override {
    const Tensor t =
        ((beta_min_ * beta_min_ + 2 * beta_d_ * pointwise::logarithm(1 + sigma.square())).sqrt() - beta_min_) / beta_d_;
    return {at::ones_like(sigma), -sigma, (sigma.square() + 1).rsqrt(), (t * (M_ - 1)).flatten()};
  }

 private:
  /// In float32, as the original stores it: at t = 1e-5 cancellation costs it 2% of the exact value.
  double sigma_at(double time) const {
    const auto t = static_cast<float>(time);
    const float exponent = static_cast<float>(0.5 * beta_d_) * (t * t) + static_cast<float>(beta_min_) * t;
    return std::sqrt(std::exp(exponent) - 1.0f);
  }

  double beta_d_, beta_min_;
  int64_t M_;
  double epsilon_t_;
};

class VePrecond : public Preconditioned {
 public:
  explicit VePrecond(ConfigReader& config)
      : Preconditioned(config, 1, "SongUNet"),
        sigma_min_(config.optional<double>("sigma_min", 0.02)),
        sigma_max_(config.optional<double>("sigma_max", 100)) {}

  double sigma_min() const override { return sigma_min_; }
  double sigma_max() const override { return sigma_max_; }

 protected:
  Scales scales(const Tensor& sigma) const override {
    const Tensor one = at::ones_like(sigma);
    return {one, sigma, one, pointwise::logarithm(0.5 * sigma).flatten()};
  }

 private:
  double sigma_min_, sigma_max_;
};

class IddpmPrecond : public Preconditioned {
 public:
  explicit IddpmPrecond(ConfigReader& config)
      : Preconditioned(config, 2, "DhariwalUNet"), M_(config.optional<int64_t>("M", 1000)) {
    if (M_ < 1) config.fail("hyper-parameter 'M' must be positive");
    const auto c1 = static_cast<float>(config.optional<double>("C_1", 0.001));
    const double c2 = config.optional<double>("C_2", 0.008);
    // Float32 throughout, as the original computes its table.
    const auto alpha_bar = [&](int64_t j) {
      const float angle = static_cast<float>(0.5 * M_PI) * static_cast<float>(j) / static_cast<float>(M_);
      const float sine = float32_sine(angle / static_cast<float>(c2 + 1));
      return sine * sine;
    };
    Tensor table = at::zeros({M_ + 1}, at::kFloat);
    float* u = table.data_ptr<float>();
    for (int64_t j = M_; j > 0; --j) {
      const float ratio = std::max(alpha_bar(j - 1) / alpha_bar(j), c1);
      u[j - 1] = std::sqrt((u[j] * u[j] + 1.0f) / ratio - 1.0f);
    }
    u_ = Scope(parameters_).constant("u", table);
  }

  double sigma_min() const override { return u_[M_ - 1].item<double>(); }
  double sigma_max() const override { return u_[0].item<double>(); }
  Tensor round_sigma(const Tensor& sigma) const override {
    return u_.index_select(0, nearest(sigma)).reshape(sigma.sizes()).to(sigma.options());
  }

 protected:
  Scales scales(const Tensor& sigma) const override {
    const Tensor step = M_ - 1 - nearest(sigma).to(sigma.scalar_type());
    return {at::ones_like(sigma), -sigma, (sigma.square() + 1).rsqrt(), step};
  }

 private:
  /// Index of the nearest entry of u for each number; of two that are equally near the first.
  Tensor nearest(const Tensor& sigma) const {
    const Tensor distance = (sigma.to(u_.options()).reshape({-1, 1}) - u_).abs();
    return distance.argmin(1);
  }

  int64_t M_;
  Tensor u_;  ///< [M + 1], descending noise levels
};

class EdmPrecond : public Preconditioned {
 public:
  explicit EdmPrecond(ConfigReader& config)
      : Preconditioned(config, 1, "DhariwalUNet"),
        sigma_min_(config.optional<double>("sigma_min", 0)),
        sigma_max_(config.optional<double>("sigma_max", std::numeric_limits<double>::infinity())),
        sigma_data_(config.optional<double>("sigma_data", 0.5)) {}

  double sigma_min() const override { return sigma_min_; }
  double sigma_max() const override { return sigma_max_; }

 protected:
  Scales scales(const Tensor& sigma) const override {
    const Tensor variance = sigma.square() + sigma_data_ * sigma_data_;
    return {sigma_data_ * sigma_data_ / variance, sigma * sigma_data_ / variance.sqrt(), variance.rsqrt(),
            (pointwise::logarithm(sigma) / 4).flatten()};
  }

 private:
  double sigma_min_, sigma_max_, sigma_data_;
};

template <class Precond>
std::unique_ptr<EdmDenoiser> build(ConfigReader& config) {
  auto network = std::make_unique<Precond>(config);
  config.finish();
  return network;
}

}  // namespace

std::unique_ptr<Network> make(const nlohmann::json& model) {
  ConfigReader config("edm", model);
  const auto precond = config.optional<std::string>("precond", "EDMPrecond");
  if (precond == "VPPrecond") return build<VpPrecond>(config);
  if (precond == "VEPrecond") return build<VePrecond>(config);
  if (precond == "iDDPMPrecond") return build<IddpmPrecond>(config);
  if (precond == "EDMPrecond") return build<EdmPrecond>(config);
  config.fail("precond '" + precond + "' is unknown; expected VPPrecond, VEPrecond, iDDPMPrecond or EDMPrecond");
}

}  // namespace sextant::networks::edm
