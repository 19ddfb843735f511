// Diffusion Transformers (Peebles & Xie 2023) with the names and conventions of facebookresearch/DiT: patches, blocks
// whose layer norms are scaled, shifted and gated by the timestep and the class, no text.
#include "dit/network.h"

#include <algorithm>
#include <cmath>

#include "config_reader.h"
#include "internal/kernels/attention.h"
#include "internal/runtime/pointwise.h"
#include "layers.h"
#include "sextant/networks/network.h"
#include "sextant/runtime/error.h"

namespace sextant::networks::dit {
namespace {

struct Config {
  int64_t input_size = 32;
  int64_t patch_size = 2;
  int64_t in_channels = 4;
  int64_t hidden_size = 1152;
  int64_t depth = 28;
  int64_t num_heads = 16;
  double mlp_ratio = 4;
  double class_dropout_prob = 0.1;  ///< above 0 the label table has one more row, the null class
  int64_t num_classes = 1000;
  bool learn_sigma = true;
  int64_t frequency_shift = 0;  ///< 1 is diffusers': see Dit::embed_time
  double mlp_norm_eps = 1e-6;   ///< of the norm before the perceptron; 1e-5 in diffusers' published configs

  int64_t out_channels() const { return learn_sigma ? 2 * in_channels : in_channels; }
  int64_t grid() const { return input_size / patch_size; }
};

Config read_config(const nlohmann::json& model) {
  ConfigReader reader("dit", model);
  Config config;
  config.input_size = reader.optional("input_size", config.input_size);
  config.patch_size = reader.optional("patch_size", config.patch_size);
  config.in_channels = reader.optional("in_channels", config.in_channels);
  config.hidden_size = reader.optional("hidden_size", config.hidden_size);
  config.depth = reader.optional("depth", config.depth);
  config.num_heads = reader.optional("num_heads", config.num_heads);
  config.mlp_ratio = reader.optional("mlp_ratio", config.mlp_ratio);
  config.class_dropout_prob = reader.optional("class_dropout_prob", config.class_dropout_prob);
  config.num_classes = reader.optional("num_classes", config.num_classes);
  config.learn_sigma = reader.optional("learn_sigma", config.learn_sigma);
  config.frequency_shift = reader.optional("frequency_shift", config.frequency_shift);
  config.mlp_norm_eps = reader.optional("mlp_norm_eps", config.mlp_norm_eps);
  reader.finish();
  if (config.frequency_shift < 0 || config.frequency_shift > 1) reader.fail("frequency_shift must be 0 or 1");
  if (!(config.mlp_norm_eps > 0)) reader.fail("mlp_norm_eps must be above 0");
  if (config.patch_size < 1 || config.input_size % config.patch_size != 0) {
    reader.fail(c10::str("patch_size ", config.patch_size, " does not divide input_size ", config.input_size));
  }
  if (config.num_heads < 1 || config.hidden_size % config.num_heads != 0 || config.hidden_size % 4 != 0) {
    reader.fail(
        c10::str("hidden_size ", config.hidden_size, " must be a multiple of 4 and of num_heads ", config.num_heads));
  }
  constexpr int64_t kMostNumbers = 1 << 26;  // of the fixed embedding, which is computed at once
  if (config.input_size < 1 || config.hidden_size < 4 || config.depth < 1 || config.in_channels < 1 ||
      config.num_classes < 1 || !(config.mlp_ratio > 0 && config.mlp_ratio <= 1024)) {
    reader.fail("sizes must be positive");
  }
  if (config.grid() > 8192 || config.grid() * config.grid() * config.hidden_size > kMostNumbers) {
    reader.fail(
        c10::str(config.grid(), " x ", config.grid(), " patches of width ", config.hidden_size, " are too many"));
  }
  return config;
}

/// The fixed embedding of a grid of patches, row-major: [1, grid^2, width] float32. For a place p it holds [sin(w p),
/// cos(w p)], w = 10000^(-k / n), k = 0 .. n-1, n = width / 4, first for the column, then for the row.
Tensor position_table(int64_t grid, int64_t width) {
  const int64_t n = width / 4;
  const Tensor frequencies = at::pow(1.0 / 10000, at::arange(n, at::kDouble) / static_cast<double>(n));
  const Tensor angle = at::outer(at::arange(grid, at::kDouble), frequencies);
  const Tensor line = at::cat({angle.sin(), angle.cos()}, 1).to(at::kFloat);
  const Tensor column = line.unsqueeze(0).expand({grid, grid, 2 * n});
  const Tensor row = line.unsqueeze(1).expand({grid, grid, 2 * n});
  return at::cat({column, row}, 2).reshape({1, grid * grid, width});
}

Tensor modulate(const Tensor& x, const Tensor& shift, const Tensor& scale) {
  return at::addcmul(shift.unsqueeze(1), x, 1 + scale.unsqueeze(1));
}

struct Block {
  Block(const Scope& scope, const Config& config)
      : heads(config.num_heads),
        norm(scope, config.hidden_size, 1e-6, false),
        mlp_norm(scope, config.hidden_size, config.mlp_norm_eps, false),
        qkv(scope / "attn" / "qkv", config.hidden_size, 3 * config.hidden_size),
        proj(scope / "attn" / "proj", config.hidden_size, config.hidden_size),
        fc1(scope / "mlp" / "fc1", config.hidden_size, mlp_width(config)),
        fc2(scope / "mlp" / "fc2", mlp_width(config), config.hidden_size),
        modulation(scope / "adaLN_modulation" / 1, config.hidden_size, 6 * config.hidden_size) {}

  static int64_t mlp_width(const Config& config) {
    return static_cast<int64_t>(static_cast<double>(config.hidden_size) * config.mlp_ratio);
  }

  Tensor attend(const Tensor& x) const {
    const int64_t B = x.size(0), L = x.size(1), D = x.size(2) / heads;
    const Tensor split = qkv(x).reshape({B, L, 3, heads, D}).permute({2, 0, 3, 1, 4});  // q, k, v [B, heads, L, D]
    return proj(kernels::attention(split[0], split[1], split[2], 1 / std::sqrt(D)));
  }

  /// x [B, L, width], condition [B, width] after its SiLU
  Tensor operator()(const Tensor& x, const Tensor& condition) const {
    const auto m = modulation(condition).chunk(6, 1);  // shift, scale, gate of attention, then of the perceptron
    const Tensor h = x + m[2].unsqueeze(1) * attend(modulate(norm(x), m[0], m[1]));
    return h + m[5].unsqueeze(1) * fc2(pointwise::gelu_by_tanh(fc1(modulate(mlp_norm(h), m[3], m[4]))));
  }

  int64_t heads;
  LayerNorm norm, mlp_norm;  ///< without parameters
  Linear qkv, proj, fc1, fc2, modulation;
};

class Dit : public NoiseNetwork {
 public:
  explicit Dit(const Config& config) : config_(config) {
    const Scope scope(parameters_);
    const int64_t width = config.hidden_size;
    position_ = scope.constant("pos_embed", position_table(config.grid(), width));
    patch_ = Conv2d(scope / "x_embedder" / "proj", config.in_channels, width, config.patch_size,
                    {.stride = config.patch_size});
    time0_ = Linear(scope / "t_embedder" / "mlp" / 0, kFrequencies, width);
    time2_ = Linear(scope / "t_embedder" / "mlp" / 2, width, width);
    labels_ = Embedding(scope / "y_embedder" / "embedding_table", num_classes(), width);
    for (int64_t i = 0; i < config.depth; ++i) blocks_.emplace_back(scope / "blocks" / i, config);
    norm_ = LayerNorm(scope, width, 1e-6, false);
    linear_ =
        Linear(scope / "final_layer" / "linear", width, config.patch_size * config.patch_size * config.out_channels());
    modulation_ = Linear(scope / "final_layer" / "adaLN_modulation" / 1, width, 2 * width);
  }

  Tensor forward(const Tensor& x, const Tensor& t, const Tensor& y) const override {
    check_input(x, t, y);
    const at::ScalarType type = compute_type();
    Tensor h = patch_(x.to(type)).flatten(2).transpose(1, 2) + position_.to(type);
    const Tensor condition = pointwise::silu(embed_time(t) + labels_(y));
    for (const Block& block : blocks_) h = block(h, condition);
    const auto m = modulation_(condition).chunk(2, 1);
    return at_least_float(unpatchify(linear_(modulate(norm_(h), m[0], m[1]))));
  }

  std::vector<int64_t> image_shape() const override {
    return {config_.in_channels, config_.input_size, config_.input_size};
  }
  int64_t out_channels() const override { return config_.out_channels(); }
  int64_t num_classes() const override { return config_.num_classes + (config_.class_dropout_prob > 0 ? 1 : 0); }
  /// The original guides output[:, :3], three channels of four, for reproducibility of its figures. Python's slice
  /// takes what there is: of fewer channels the variance's, too.
  int64_t cfg_channels() const override { return std::min<int64_t>(3, config_.out_channels()); }

 private:
  static constexpr int64_t kFrequencies = 256;

  void check_input(const Tensor& x, const Tensor& t, const Tensor& y) const {
    if (x.dim() != 4 || x.sizes().slice(1) != at::IntArrayRef(image_shape())) {
      throw ShapeError(c10::str("dit: expected latents [B, ", config_.in_channels, ", ", config_.input_size, ", ",
                                config_.input_size, "], got ", x.sizes()));
    }
    if (t.dim() != 1 || t.size(0) != x.size(0) || !y.defined() || y.scalar_type() != at::kLong ||
        y.sizes() != t.sizes()) {
      throw ShapeError(c10::str("dit: expected timesteps [", x.size(0), "] and int64 classes [", x.size(0), "], got ",
                                t.sizes(), " and ", y.defined() ? c10::str(y.scalar_type(), " ", y.sizes()) : "none",
                                "; the null class is ", config_.num_classes));
    }
  }

  /// [cos(w t), sin(w t)], w = 10000^(-k / (128 - frequency_shift)), then two layers: [B, width]
  Tensor embed_time(const Tensor& t) const {
    const at::ScalarType type = compute_type() == at::kDouble ? at::kDouble : at::kFloat;
    const int64_t half = kFrequencies / 2;
    const Tensor k = at::arange(half, at::TensorOptions(t.device()).dtype(type));
    const double span = static_cast<double>(half - config_.frequency_shift);
    const Tensor angle = at::outer(t.to(type), (k * (-std::log(10000.0) / span)).exp());
    return time2_(
        pointwise::silu(time0_(at::cat({pointwise::cosine(angle), pointwise::sine(angle)}, 1).to(compute_type()))));
  }

  /// [B, grid^2, patch^2 C] -> [B, C, size, size]
  Tensor unpatchify(const Tensor& x) const {
    const int64_t g = config_.grid(), p = config_.patch_size, C = config_.out_channels();
    return x.reshape({x.size(0), g, g, p, p, C}).permute({0, 5, 1, 3, 2, 4}).reshape({x.size(0), C, g * p, g * p});
  }

  Config config_;
  Tensor position_;
  Conv2d patch_;
  Linear time0_, time2_;
  Embedding labels_;
  std::vector<Block> blocks_;
  LayerNorm norm_;
  Linear linear_, modulation_;
};

}  // namespace

std::unique_ptr<Network> make(const nlohmann::json& model) { return std::make_unique<Dit>(read_config(model)); }

}  // namespace sextant::networks::dit
