// The U-Net of Dhariwal & Nichol 2021 (ADM), as guided-diffusion computes it.
#include "adm/unet.h"

#include <c10/util/StringUtil.h>

#include "internal/kernels/norm.h"
#include "internal/kernels/resample.h"
#include "sextant/runtime/error.h"

namespace sextant::networks::adm {

using kernels::Resampling;

UNet::UNet(const Config& config)
    : config_(config), embedding_(Scope(parameters_), config), encoder_(Scope(parameters_), config) {
  std::vector<int64_t> skips = encoder_.channels;
  const auto levels = static_cast<int64_t>(config.channel_mult.size());
  int64_t width = skips.back();
  for (int64_t level = levels - 1; level >= 0; --level) {
    const int64_t factor = int64_t{1} << level;
    for (int64_t i = 0; i <= config.num_res_blocks; ++i) {
      const Scope scope = Scope(parameters_) / "output_blocks" / static_cast<int64_t>(output_blocks_.size());
      Block block;
      output_parts_.push_back({width, skips.back()});
      output_sizes_.push_back(config.image_size / factor);
      block.add(ResBlock(scope / 0, config, width + skips.back(), config.width(level)));
      skips.pop_back();
      width = config.width(level);
      if (config.attends_at(factor)) {
        block.add(AttentionBlock(scope / block.size(), config, width, config.num_heads_upsample));
      }
      if (level > 0 && i == config.num_res_blocks) {
        if (config.resblock_updown) {
          block.add(ResBlock(scope / block.size(), config, width, width, Resampling::kDouble));
        } else {
          block.add(Resize(scope / block.size(), config, width, Resampling::kDouble));
        }
      }
      output_blocks_.push_back(std::move(block));
    }
  }
  const Scope out = Scope(parameters_) / "out";
  out_norm_ = norm32(out / 0, width, true);
  out_convolution_ = convolution(out / 2, width, config.out_channels, 3);
}

void UNet::prepare() {
  encoder_.lay_out(false);
  for (std::size_t i = 0; i < output_blocks_.size(); ++i) {
    output_blocks_[i].lay_out({output_sizes_[i], output_parts_[i]});
  }
  out_convolution_.lay_out(config_.image_size, config_.image_size);
}

Tensor UNet::forward(const Tensor& x, const Tensor& t, const Tensor& y) const {
  const int64_t multiple = int64_t{1} << (config_.channel_mult.size() - 1);
  if (x.dim() != 4 || x.size(1) != config_.in_channels || x.size(2) % multiple != 0 || x.size(3) % multiple != 0) {
    throw ShapeError(c10::str("ADM: expected images [B, ", config_.in_channels, ", H, W] with sides in multiples of ",
                              multiple, ", got ", x.sizes()));
  }
  if (t.dim() != 1 || t.size(0) != x.size(0)) {
    throw ShapeError(c10::str("ADM: expected one timestep per image [", x.size(0), "], got ", t.sizes()));
  }
  if (y.defined() != (config_.num_classes > 0) || (y.defined() && y.sizes() != t.sizes())) {
    throw ShapeError(config_.num_classes == 0
                         ? std::string("ADM: this network has no classes; leave the labels out")
                         : c10::str("ADM: expected one label below ", config_.num_classes, " per image [", x.size(0),
                                    "], got ", y.defined() ? c10::str(y.sizes()) : "none"));
  }
  const Tensor embedding = embedding_(t, y);
  std::vector<Tensor> skips;
  Tensor h = x.to(compute_type());
  for (const Block& block : encoder_.input_blocks) {
    h = block(h, embedding);
    skips.push_back(h);
  }
  h = encoder_.middle_block(h, embedding);
  for (const Block& block : output_blocks_) {
    const Tensor skip = skips.back();
    skips.pop_back();
    h = block({h, skip}, embedding);
  }
  h = out_convolution_(kernels::group_norm(h, out_norm_));
  return (h.scalar_type() == at::kDouble ? h : h.to(at::kFloat)).contiguous();
}

}  // namespace sextant::networks::adm
