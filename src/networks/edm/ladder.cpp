// Encoder and decoder of the U-Nets of Karras et al. 2022 (EDM).
#include <algorithm>
#include <cmath>

#include "edm/unet.h"
#include "internal/kernels/norm.h"

namespace sextant::networks::edm {
namespace {

bool contains(const std::vector<int64_t>& list, int64_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// "32x32", the name of a level.
std::string size_name(int64_t resolution) { return c10::str(resolution, "x", resolution); }

}  // namespace

Ladder::Ladder(const Scope& scope, const LadderConfig& config) {
  std::vector<int64_t> skips;
  build_encoder(scope / "enc", config, skips);
  build_decoder(scope / "dec", config, skips);
}

void Ladder::build_encoder(const Scope& scope, const LadderConfig& config, std::vector<int64_t>& skips) {
  int64_t width = config.first_channels;
  int64_t aux_width = config.in_channels;
  for (std::size_t i = 0; i < config.channels.size(); ++i) {
    const int64_t resolution = config.resolution >> i;
    const std::string size = size_name(resolution);
    EncoderLevel level;
    level.resolution = resolution;
    if (i == 0) {
      level.first = Conv(scope / (size + "_conv"), config.in_channels, width, 3);
    } else {
      level.down = Block(scope / (size + "_down"), resolution, width, width, config.block, false, Resample::kDown);
      if (config.encoder == Auxiliary::kSkip) {
        level.aux_down =
            Conv(scope / (size + "_aux_down"), aux_width, aux_width, 0, Resample::kDown, config.block.taps);
        level.aux_skip = Conv(scope / (size + "_aux_skip"), aux_width, width, 1);
      }
      if (config.encoder == Auxiliary::kResidual) {
        level.aux_residual =
            Conv(scope / (size + "_aux_residual"), aux_width, width, 3, Resample::kDown, config.block.taps);
        aux_width = width;
      }
    }
    skips.push_back(width);
    for (int64_t block = 0; block < config.num_blocks; ++block) {
      level.blocks.emplace_back(scope / c10::str(size, "_block", block), resolution, width, config.channels[i],
                                config.block, contains(config.attention_resolutions, resolution));
      width = config.channels[i];
      skips.push_back(width);
    }
    encoder_.push_back(std::move(level));
  }
}

void Ladder::build_decoder(const Scope& scope, const LadderConfig& config, std::vector<int64_t>& skips) {
  int64_t width = skips.back();
  for (std::size_t i = config.channels.size(); i-- > 0;) {
    const int64_t resolution = config.resolution >> i;
    const std::string size = size_name(resolution);
    const bool bottom = i + 1 == config.channels.size();
    DecoderLevel level;
    level.resolution = resolution;
    if (bottom) {
      level.before.emplace_back(scope / (size + "_in0"), resolution, width, width, config.block, true);
      level.before.emplace_back(scope / (size + "_in1"), resolution, width, width, config.block, false);
    } else {
      level.before.emplace_back(scope / (size + "_up"), resolution, width, width, config.block, false, Resample::kUp);
    }
    for (int64_t block = 0; block <= config.num_blocks; ++block) {
      const bool attention = contains(config.attention_resolutions, resolution) &&
                             (block == config.num_blocks || !config.attention_in_last_block_only);
      Block joined(scope / c10::str(size, "_block", block), resolution, width + skips.back(), config.channels[i],
                   config.block, attention);
      level.blocks.push_back({std::move(joined), {width, skips.back()}});
      width = config.channels[i];
      skips.pop_back();
    }
    const bool skip = config.decoder == Auxiliary::kSkip;
    if (config.auxiliary_output && (skip || i == 0)) {
      if (skip && !bottom) {
        level.aux_up = Conv(scope / (size + "_aux_up"), config.out_channels, config.out_channels, 0, Resample::kUp,
                            config.block.taps);
      }
      level.aux_norm = edm_group_norm(scope / (size + "_aux_norm"), width, config.block.eps, true);
      level.aux_conv = Conv(scope / (size + "_aux_conv"), width, config.out_channels, 3);
    }
    decoder_.push_back(std::move(level));
  }
}

void Ladder::lay_out() {
  for (EncoderLevel& level : encoder_) {
    if (level.first) level.first->lay_out(level.resolution);
    if (level.down) level.down->lay_out();
    if (level.aux_skip) level.aux_skip->lay_out(level.resolution);
    for (Block& block : level.blocks) block.lay_out();
  }
  for (DecoderLevel& level : decoder_) {
    for (Block& block : level.before) block.lay_out();
    for (DecoderLevel::Joined& joined : level.blocks) joined.block.lay_out(joined.parts);
    if (level.aux_conv) level.aux_conv->lay_out(level.resolution);
  }
}

std::vector<Tensor> Ladder::encode(const Tensor& image, const Tensor& embedding) const {
  std::vector<Tensor> skips;
  Tensor x = image;
  Tensor aux = image;
  for (const EncoderLevel& level : encoder_) {
    x = level.first ? (*level.first)(x) : (*level.down)(x, embedding);
    if (level.aux_skip) {
      aux = (*level.aux_down)(aux);
      x = (*level.aux_skip)(aux, x);
    }
    if (level.aux_residual) x = aux = (x + level.aux_residual->convolve_then_down(aux)) * M_SQRT1_2;
    skips.push_back(x);
    for (const Block& block : level.blocks) {
      x = block(x, embedding);
      skips.push_back(x);
    }
  }
  return skips;
}

Tensor Ladder::operator()(const Tensor& image, const Tensor& embedding) const {
  std::vector<Tensor> skips = encode(image, embedding);
  Tensor x = skips.back();
  Tensor output;
  for (const DecoderLevel& level : decoder_) {
    for (const Block& block : level.before) x = block(x, embedding);
    for (const auto& [block, parts] : level.blocks) {
      x = block({x, skips.back()}, embedding);
      skips.pop_back();
    }
    if (level.aux_up) output = (*level.aux_up)(output);
    if (level.aux_conv) output = (*level.aux_conv)(kernels::group_norm(x, level.aux_norm), output);
  }
  return output.defined() ? output : x;
}

}  // namespace sextant::networks::edm
