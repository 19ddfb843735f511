// Hyper-parameters of ADM networks: the names say which block is what, the shapes how wide.
#include "adm/deduce.h"

#include <optional>

#include "adm/config.h"
#include "shapes.h"

namespace sextant::networks::adm {

using nlohmann::json;

namespace {

/// What one of input_blocks is.
struct InputBlock {
  bool residual = false;  ///< else a convolution that halves the image, or nothing at all
  bool attention = false;
  bool changes_width = false;
  int64_t width = 0;  ///< of a residual block's result
};

/// One more than the largest n of names "LIST.n.", 0 without. Every block has a name of its own: a larger n than there
/// are names is of no such list, and would be costly to believe.
int64_t length_of(const checkpoint::StateDict& weights, const std::string& list) {
  int64_t length = 0;
  for (const auto& [name, tensor] : weights) {
    if (!name.starts_with(list + ".")) continue;
    const int64_t number = std::atoll(name.c_str() + list.size() + 1);
    if (number < 0 || number >= static_cast<int64_t>(weights.size())) return 0;
    length = std::max(length, number + 1);
  }
  return length;
}

std::vector<InputBlock> input_blocks(const checkpoint::StateDict& weights) {
  std::vector<InputBlock> blocks;
  const int64_t length = length_of(weights, "input_blocks");
  for (int64_t i = 1; i < length; ++i) {  // block 0 is the first convolution
    const std::string name = "input_blocks." + std::to_string(i) + ".";
    InputBlock block;
    block.width = size_of(weights, name + "0.out_layers.3.weight", 0);
    block.residual = block.width > 0;
    block.attention = weights.contains(name + "1.qkv.weight");
    block.changes_width = weights.contains(name + "0.skip_connection.weight");
    blocks.push_back(block);
  }
  return blocks;
}

/// Levels of `per_level` residual blocks, one block that halves the image between each two.
struct Levels {
  std::vector<int64_t> widths;
  std::vector<bool> attention;
  bool residual_halving = false;     ///< resblock_updown
  bool convolution_halving = false;  ///< conv_resample
};

/// The levels, if blocks can be read with that many a level.
std::optional<Levels> read_levels(const std::vector<InputBlock>& blocks, int64_t per_level) {
  Levels levels;
  const auto period = static_cast<std::size_t>(per_level + 1);
  if (per_level < 1 || (blocks.size() + 1) % period != 0) return std::nullopt;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const InputBlock& block = blocks[i];
    if (i % period == period - 1) {
      if (block.attention || block.changes_width) return std::nullopt;
      if (block.residual && block.width != levels.widths.back()) return std::nullopt;
      if (i > period && block.residual != levels.residual_halving) return std::nullopt;
      levels.residual_halving = block.residual;
      continue;
    }
    if (!block.residual) return std::nullopt;
    if (i % period == 0) {
      levels.widths.push_back(block.width);
      levels.attention.push_back(block.attention);
    } else if (block.width != levels.widths.back() || block.attention != levels.attention.back()) {
      return std::nullopt;
    }
  }
  return levels;
}

/// The fewest blocks a level with which they can be read; how a decoder is divided tells more, if there is one.
std::optional<std::pair<int64_t, Levels>> levels_of(const checkpoint::StateDict& weights) {
  const std::vector<InputBlock> blocks = input_blocks(weights);
  int64_t doublings = 0;
  const int64_t outputs = length_of(weights, "output_blocks");
  for (int64_t i = 0; i < outputs; ++i) {
    for (const char* layer : {".1.", ".2."}) {
      const std::string name = "output_blocks." + std::to_string(i) + layer;
      if (weights.contains(name + "in_layers.0.weight") || weights.contains(name + "conv.weight")) ++doublings;
    }
  }
  for (int64_t per_level = 1; per_level <= static_cast<int64_t>(blocks.size()); ++per_level) {
    const bool divided = doublings > 0 && outputs == (doublings + 1) * (per_level + 1);
    if (doublings > 0 && !divided) continue;
    if (auto levels = read_levels(blocks, per_level)) return std::pair(per_level, std::move(*levels));
  }
  return std::nullopt;
}

/// What both networks have in common, or null.
json deduce_common(const checkpoint::StateDict& weights) {
  const int64_t width = size_of(weights, "time_embed.0.weight", 1);
  const int64_t inputs = size_of(weights, "input_blocks.0.0.weight", 1);
  const auto found = levels_of(weights);
  if (width == 0 || inputs == 0 || !found || found->second.widths.size() > kMostLevels) return nullptr;
  const auto& [per_level, levels] = *found;
  json mult = json::array();
  json attention = json::array();
  bool by_64 = true;
  for (std::size_t l = 0; l < levels.widths.size(); ++l) {
    const int64_t w = levels.widths[l];
    mult.push_back(w % width == 0 ? json(w / width) : json(static_cast<double>(w) / static_cast<double>(width)));
    if (levels.attention[l]) attention.push_back(int64_t{1} << l);
    by_64 = by_64 && (w % 64 == 0 || !levels.attention[l]);
  }
  by_64 = by_64 && levels.widths.back() % 64 == 0;  // the middle block attends whatever the levels do
  const int64_t emb = size_of(weights, "input_blocks.1.0.emb_layers.1.weight", 0);
  json model = {{"image_size", int64_t{1} << (levels.widths.size() + 2)},
                {"in_channels", inputs},
                {"model_channels", width},
                {"num_res_blocks", per_level},
                {"channel_mult", mult},
                {"attention_resolutions", attention},
                {"use_scale_shift_norm", emb == 2 * levels.widths.front()},
                {"resblock_updown", levels.residual_halving}};
  model[by_64 ? "num_head_channels" : "num_heads"] = by_64 ? 64 : 1;
  const std::string halving = "input_blocks." + std::to_string(per_level + 1) + ".0.op.weight";
  model["conv_resample"] = levels.residual_halving || levels.widths.size() == 1 || weights.contains(halving);
  return model;
}

}  // namespace

json deduce_unet(const checkpoint::StateDict& weights) {
  if (!weights.contains("output_blocks.0.0.in_layers.0.weight")) return nullptr;
  json model = deduce_common(weights);
  if (model.is_null()) return model;
  model["out_channels"] = size_of(weights, "out.2.weight", 0);
  if (const int64_t classes = size_of(weights, "label_emb.weight", 0); classes > 0) model["num_classes"] = classes;
  return model;
}

json deduce_classifier(const checkpoint::StateDict& weights) {
  if (length_of(weights, "output_blocks") > 0) return nullptr;
  json model = deduce_common(weights);
  if (model.is_null()) return model;
  if (const int64_t tokens = size_of(weights, "out.2.positional_embedding", 1); tokens > 0) {
    model["pool"] = "attention";
    model["out_channels"] = size_of(weights, "out.2.c_proj.weight", 0);
    model["num_head_channels"] = 64;
    model.erase("num_heads");
    // The tokens are the pixels of the last level, and their mean.
    const auto side = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(tokens - 1))));
    model["image_size"] = side << (model["channel_mult"].size() - 1);
  } else if (weights.contains("out.3.weight") && weights.at("out.3.weight").dim() == 4) {
    model["pool"] = "adaptive";
    model["out_channels"] = size_of(weights, "out.3.weight", 0);
  } else {
    const bool normed = weights.contains("out.1.weight");
    model["pool"] = normed ? "spatial_v2" : "spatial";
    model["out_channels"] = size_of(weights, normed ? "out.3.weight" : "out.2.weight", 0);
  }
  return model;
}

}  // namespace sextant::networks::adm
