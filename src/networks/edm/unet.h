// The two U-Nets of NVlabs/edm: SongUNet (DDPM++ and NCSN++ of Song et al. 2021) and DhariwalUNet (ADM of Dhariwal &
// Nichol 2021). They share the ladder of resolutions and differ in embeddings, residual blocks and output.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "config_reader.h"
#include "edm/blocks.h"

namespace sextant::networks::edm {

/// How the image itself, at each resolution, enters the encoder or leaves the decoder beside the main path.
enum class Auxiliary { kStandard, kSkip, kResidual };

struct LadderConfig {
  int64_t resolution = 0;
  int64_t in_channels = 3;
  int64_t out_channels = 3;
  int64_t first_channels = 0;     ///< of the first convolution
  std::vector<int64_t> channels;  ///< of each level
  int64_t num_blocks = 0;
  std::vector<int64_t> attention_resolutions;
  bool attention_in_last_block_only = false;  ///< on the way up
  BlockOptions block;
  Auxiliary encoder = Auxiliary::kStandard;
  Auxiliary decoder = Auxiliary::kStandard;
  bool auxiliary_output = false;  ///< the output is `aux_norm`, `aux_conv` inside the decoder
};

/// Encoder and decoder, joined by skip connections.
class Ladder {
 public:
  Ladder(const Scope& scope, const LadderConfig& config);

  /// Lays the weights out.
  void lay_out();
  /// x [B, in_channels, R, R], embedding [B or 1, embedding_channels]. Returns the image [B, out_channels, R, R] with
  /// an auxiliary output, else the last activations [B, channels[0], R, R].
  Tensor operator()(const Tensor& x, const Tensor& embedding) const;

 private:
  struct EncoderLevel {
    int64_t resolution = 0;
    std::optional<Conv> first;
    std::optional<Block> down;
    std::optional<Conv> aux_down, aux_skip, aux_residual;
    std::vector<Block> blocks;
  };
  struct DecoderLevel {
    int64_t resolution = 0;
    std::vector<Block> before;  ///< `in0`, `in1` at the bottom, `up` elsewhere
    struct Joined {
      Block block;
      std::vector<int64_t> parts;  ///< channels of the main path and of the skip connection
    };
    std::vector<Joined> blocks;
    std::optional<Conv> aux_up;
    kernels::GroupNorm aux_norm;
    std::optional<Conv> aux_conv;
  };

  void build_encoder(const Scope& scope, const LadderConfig& config, std::vector<int64_t>& skips);
  void build_decoder(const Scope& scope, const LadderConfig& config, std::vector<int64_t>& skips);
  std::vector<Tensor> encode(const Tensor& image, const Tensor& embedding) const;

  std::vector<EncoderLevel> encoder_;
  std::vector<DecoderLevel> decoder_;  ///< lowest resolution first
};

/// The raw network inside a preconditioning.
class RawNetwork {
 public:
  virtual ~RawNetwork() = default;
  /// x [B, C, R, R] in the compute dtype; noise [B or 1] and labels [B or 1, K] (undefined without classes) in float32
  /// at least. Returns [B, C_out, R, R] in the compute dtype.
  virtual Tensor forward(const Tensor& x, const Tensor& noise, const Tensor& labels) const = 0;
  /// Lays the weights out for the machine, as Network::freeze asks.
  virtual void lay_out() = 0;
};

/// Reads the network's own arguments from `config`: `model_type` "SongUNet" or "DhariwalUNet" and what that takes.
std::unique_ptr<RawNetwork> make_raw_network(const Scope& scope, ConfigReader& config, const std::string& default_type,
                                             int64_t resolution, int64_t in_channels, int64_t out_channels,
                                             int64_t label_dim);

}  // namespace sextant::networks::edm
