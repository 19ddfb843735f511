// The Inception-v3 of the Frechet inception distance: 1008 outputs, weights of TensorFlow's 2015 graph as pytorch-fid
// and torch-fidelity converted them. It differs from torchvision's: pooling branches do not count the padding, and that
// of the last block takes the maximum.
#pragma once

#include <array>
#include <map>

#include "layers.h"
#include "sextant/networks/network.h"

namespace sextant::networks::inception {

/// How images reach 299x299 and about [-1, 1].
enum class Resize {
  kTensorflow1,  ///< TensorFlow 1's resize and (x - 128) / 128, as the original metric and torch-fidelity
  kPytorchFid,   ///< F.interpolate and 2 x / 255 - 1, as pytorch-fid
  kCleanFid,     ///< Pillow's bicubic filter, clipped, and (x - 128) / 128, as clean-fid (Parmar et al. 2022)
};

struct Config {
  Resize resize = Resize::kTensorflow1;
  int64_t num_classes = 1008;
};

/// {"resize": "tensorflow1", "pytorch-fid" or "clean-fid", "num_classes": 1008}; CheckpointError for an unknown or
/// unusable entry.
Config read_config(const nlohmann::json& model);

/// Features "pool" [2048], "feat768", "spatial" [2023], "logits_unbiased" and "logits".
class Inception : public FeatureNetwork {
 public:
  explicit Inception(const Config& config);
  /// images [B, 3, H, W] of any size, resized to 299x299.
  Features forward(const Tensor& images) const override;
  int64_t channels() const override { return 3; }

 private:
  /// Convolution without bias, batch norm, ReLU.
  struct Unit {
    Tensor weight;
    BatchNorm2d norm;
    int64_t stride, rows, columns;  ///< padding of rows and columns
    Tensor folded_weight, folded_bias;
  };

  void declare();
  void unit(const std::string& name, int64_t in, int64_t out, std::array<int64_t, 2> kernel, int64_t stride,
            std::array<int64_t, 2> padding);
  Tensor run(const std::string& name, const Tensor& x) const;
  Tensor run_chain(const std::string& block, const std::vector<std::string>& names, Tensor x) const;

  Tensor preprocess(const Tensor& images) const;
  Tensor block_a(const std::string& block, const Tensor& x) const;
  Tensor block_b(const std::string& block, const Tensor& x) const;
  Tensor block_c(const std::string& block, const Tensor& x) const;
  Tensor block_d(const std::string& block, const Tensor& x) const;
  Tensor block_e(const std::string& block, const Tensor& x, bool pool_maximum) const;
  void prepare() override;

  Config config_;
  std::map<std::string, Unit> units_;
  Linear fc_;
};

}  // namespace sextant::networks::inception
