// Names of the autoencoder of latent diffusion (Rombach et al. 2022) in CompVis and older diffusers files.
#include "vae/names.h"

#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace sextant::networks::vae {
namespace {

const std::string kFirstStage = "first_stage_model.";

/// The autoencoder inside a whole Stable Diffusion checkpoint.
checkpoint::StateDict first_stage(const checkpoint::StateDict& weights) {
  checkpoint::StateDict part;
  for (const auto& [name, tensor] : weights) {
    if (name.starts_with(kFirstStage)) part.set(name.substr(kFirstStage.size()), tensor);
  }
  return part.empty() ? weights : part;
}

bool is_latent_diffusion(const checkpoint::StateDict& weights) {
  return weights.contains("decoder.mid.attn_1.q.weight");
}

bool belongs_to_autoencoder(const std::string& name) {
  return name.starts_with("encoder.") || name.starts_with("decoder.") || name.starts_with("quant_conv.") ||
         name.starts_with("post_quant_conv.");
}

using Rules = std::vector<std::pair<std::regex, std::string>>;

std::string apply(const Rules& rules, std::string name) {
  for (const auto& [pattern, replacement] : rules) name = std::regex_replace(name, pattern, replacement);
  return name;
}

std::string from_latent_diffusion(const std::string& name, int64_t levels) {
  static const Rules rules = {
      {std::regex(R"(\.mid\.block_1\.)"), ".mid_block.resnets.0."},
      {std::regex(R"(\.mid\.block_2\.)"), ".mid_block.resnets.1."},
      {std::regex(R"(\.mid\.attn_1\.norm\.)"), ".mid_block.attentions.0.group_norm."},
      {std::regex(R"(\.mid\.attn_1\.proj_out\.)"), ".mid_block.attentions.0.to_out.0."},
      {std::regex(R"(\.mid\.attn_1\.([qkv])\.)"), ".mid_block.attentions.0.to_$1."},
      {std::regex(R"(\.(down|up)\.(\d{1,3})\.block\.)"), ".$1_blocks.$2.resnets."},
      {std::regex(R"(\.(down|up)\.(\d{1,3})\.(down|up)sample\.)"), ".$1_blocks.$2.$3samplers.0."},
      {std::regex(R"(\.nin_shortcut\.)"), ".conv_shortcut."},
      {std::regex(R"(\.norm_out\.)"), ".conv_norm_out."},
  };
  static const std::regex up(R"(^decoder\.up_blocks\.(\d{1,3})\.)");
  std::string renamed = apply(rules, name);
  std::smatch match;
  if (std::regex_search(renamed, match, up)) {
    const int64_t level = levels - 1 - std::stoll(match[1]);
    renamed = "decoder.up_blocks." + std::to_string(level) + "." + match.suffix().str();
  }
  return renamed;
}

std::string from_early_diffusers(const std::string& name) {
  static const Rules rules = {
      {std::regex(R"(\.attentions\.0\.query\.)"), ".attentions.0.to_q."},
      {std::regex(R"(\.attentions\.0\.key\.)"), ".attentions.0.to_k."},
      {std::regex(R"(\.attentions\.0\.value\.)"), ".attentions.0.to_v."},
      {std::regex(R"(\.attentions\.0\.proj_attn\.)"), ".attentions.0.to_out.0."},
  };
  return apply(rules, name);
}

}  // namespace

checkpoint::StateDict canonical_names(const checkpoint::StateDict& weights, int64_t levels) {
  const checkpoint::StateDict autoencoder = first_stage(weights);
  const bool latent_diffusion = is_latent_diffusion(autoencoder);
  checkpoint::StateDict renamed;
  for (const auto& [name, tensor] : autoencoder) {
    if (!latent_diffusion) {
      renamed.set(from_early_diffusers(name), tensor);
    } else if (belongs_to_autoencoder(name)) {
      const bool matrix = tensor.dim() == 4 && name.find(".attn_1.") != std::string::npos;
      renamed.set(from_latent_diffusion(name, levels), matrix ? tensor.flatten(1) : tensor);
    }
  }
  return renamed;
}

}  // namespace sextant::networks::vae
