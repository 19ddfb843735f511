// Hyper-parameters of the networks of Dhariwal & Nichol 2021 (ADM), and the flags of guided-diffusion.
#include "adm/config.h"

#include <algorithm>

#include "config_reader.h"
#include "sextant/runtime/error.h"

namespace sextant::networks::adm {
namespace {

using nlohmann::json;

constexpr int64_t kGroups = 32;  // of every group norm

/// What UNetModel and EncoderUNetModel have in common.
Config read_common(ConfigReader& in) {
  Config c;
  c.image_size = in.required<int64_t>("image_size");
  c.in_channels = in.required<int64_t>("in_channels");
  c.model_channels = in.required<int64_t>("model_channels");
  c.out_channels = in.required<int64_t>("out_channels");
  c.num_res_blocks = in.required<int64_t>("num_res_blocks");
  c.attention_resolutions = in.required<std::vector<int64_t>>("attention_resolutions");
  c.channel_mult = in.optional("channel_mult", c.channel_mult);
  c.conv_resample = in.optional("conv_resample", c.conv_resample);
  c.num_heads = in.optional("num_heads", c.num_heads);
  c.num_head_channels = in.optional("num_head_channels", c.num_head_channels);
  c.num_heads_upsample = in.optional("num_heads_upsample", c.num_heads_upsample);
  c.use_scale_shift_norm = in.optional("use_scale_shift_norm", c.use_scale_shift_norm);
  c.resblock_updown = in.optional("resblock_updown", c.resblock_updown);
  c.use_new_attention_order = in.optional("use_new_attention_order", c.use_new_attention_order);
  if (in.optional<int64_t>("dims", 2) != 2) in.fail("only images are supported: dims must be 2");
  c.dropout = in.optional("dropout", 0.0);
  if (!(c.dropout >= 0 && c.dropout < 1)) in.fail("dropout must be from 0 to below 1");
  for (const char* training_only : {"use_checkpoint", "use_fp16"}) in.ignore(training_only);
  if (c.num_heads_upsample == -1) c.num_heads_upsample = c.num_heads;
  return c;
}

void check_attention(const ConfigReader& in, const Config& c, int64_t channels, int64_t heads) {
  const auto fits = [&](int64_t divisor) { return divisor > 0 && channels % divisor == 0; };
  if (c.num_head_channels == -1 ? fits(heads) : fits(c.num_head_channels)) return;
  in.fail("attention over " + std::to_string(channels) + " channels does not fit num_heads " + std::to_string(heads) +
          " and num_head_channels " + std::to_string(c.num_head_channels));
}

void check(const ConfigReader& in, const Config& c) {
  for (const auto& [name, value] :
       std::initializer_list<std::pair<const char*, int64_t>>{{"image_size", c.image_size},
                                                              {"in_channels", c.in_channels},
                                                              {"model_channels", c.model_channels},
                                                              {"out_channels", c.out_channels},
                                                              {"num_res_blocks", c.num_res_blocks}}) {
    if (value < 1 || value > 1 << 20) in.fail(std::string(name) + " must be positive, got " + std::to_string(value));
  }
  if (c.channel_mult.empty() || c.channel_mult.size() > kMostLevels) in.fail("channel_mult needs 1 to 16 levels");
  int64_t downsampling = 1;
  for (std::size_t level = 0; level < c.channel_mult.size(); ++level, downsampling *= 2) {
    const double mult = c.channel_mult[level];
    if (!(mult > 0 && mult < 1024) || c.width(level) < kGroups || c.width(level) % kGroups != 0) {
      in.fail("channel_mult " + json(mult).dump() + " times model_channels " + std::to_string(c.model_channels) +
              " must be a positive multiple of 32, the groups of its norms");
    }
    if (c.attends_at(downsampling)) {
      check_attention(in, c, c.width(level), c.num_heads);
      check_attention(in, c, c.width(level), c.num_heads_upsample);
    }
  }
  check_attention(in, c, c.width(c.channel_mult.size() - 1), c.num_heads);
  if (c.image_size >> (c.channel_mult.size() - 1) < 1) in.fail("image_size is too small for so many levels");
}

/// Channel multipliers that guided-diffusion takes at a size where the flag does not say.
json default_channel_mult(const ConfigReader& in, int64_t size) {
  switch (size) {
    case 512:
      return {0.5, 1, 1, 2, 2, 4, 4};
    case 256:
      return {1, 1, 2, 2, 4, 4};
    case 128:
      return {1, 1, 2, 3, 4};
    case 64:
      return {1, 2, 3, 4};
  }
  in.fail("no default channel_mult for image_size " + std::to_string(size) +
          " (64, 128, 256 and 512 have one); set channel_mult");
}

/// "32,16,8" as numbers.
std::vector<double> numbers(const ConfigReader& in, const std::string& flag, const std::string& text) {
  std::vector<double> values;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    const std::string item = text.substr(start, end - start);
    char* rest = nullptr;
    values.push_back(std::strtod(item.c_str(), &rest));
    if (item.empty() || *rest != '\0' || !(values.back() > 0)) {
      in.fail(flag + " must be positive numbers with commas between them, got '" + text + "'");
    }
    start = end + 1;
  }
  return values;
}

/// Image sizes where attention is wanted as downsampling factors.
json downsampling_factors(const ConfigReader& in, const std::string& flag, const std::string& sizes,
                          int64_t image_size) {
  json factors = json::array();
  for (const double size : numbers(in, flag, sizes)) {
    factors.push_back(image_size / static_cast<int64_t>(std::clamp(size, 1.0, 1e9)));  // "inf" is a number too
  }
  return factors;
}

/// The process flags, which every script accepts.
void ignore_diffusion(ConfigReader& in) {
  for (const char* flag : {"diffusion_steps", "noise_schedule", "timestep_respacing", "use_kl", "predict_xstart",
                           "rescale_timesteps", "rescale_learned_sigmas", "learn_sigma"}) {
    in.ignore(flag);
  }
}

/// Flags of every diffusion model, for images of `size`.
json shared_arguments(ConfigReader& in, int64_t size, const json& channel_mult, int64_t in_channels) {
  ignore_diffusion(in);
  const std::string sizes = in.optional<std::string>("attention_resolutions", "16,8");
  const bool learn_sigma = in.optional("learn_sigma", false);
  json arguments = {{"image_size", size},
                    {"in_channels", in_channels},
                    {"model_channels", in.optional<int64_t>("num_channels", 128)},
                    {"out_channels", learn_sigma ? 6 : 3},
                    {"num_res_blocks", in.optional<int64_t>("num_res_blocks", 2)},
                    {"attention_resolutions", downsampling_factors(in, "attention_resolutions", sizes, size)},
                    {"dropout", in.optional("dropout", 0.0)},
                    {"channel_mult", channel_mult},
                    {"num_heads", in.optional<int64_t>("num_heads", 4)},
                    {"num_head_channels", in.optional<int64_t>("num_head_channels", -1)},
                    {"num_heads_upsample", in.optional<int64_t>("num_heads_upsample", -1)},
                    {"use_scale_shift_norm", in.optional("use_scale_shift_norm", true)},
                    {"resblock_updown", in.optional("resblock_updown", false)}};
  if (in.optional("class_cond", false)) arguments["num_classes"] = 1000;
  in.ignore("use_checkpoint");
  in.ignore("use_fp16");
  return arguments;
}

}  // namespace

bool Config::attends_at(int64_t downsampling) const {
  return std::find(attention_resolutions.begin(), attention_resolutions.end(), downsampling) !=
         attention_resolutions.end();
}

Config unet_config(const json& arguments) {
  ConfigReader in("UNetModel", arguments);
  Config c = read_common(in);
  c.num_classes = in.optional<int64_t>("num_classes", 0);
  in.finish();
  check(in, c);
  if (c.num_classes < 0) in.fail("num_classes must be positive, or null for an unconditional network");
  if (c.image_size % (int64_t{1} << (c.channel_mult.size() - 1)) != 0) {
    in.fail("image_size " + std::to_string(c.image_size) + " cannot be halved " +
            std::to_string(c.channel_mult.size() - 1) + " times, once per further level of channel_mult");
  }
  return c;
}

Config encoder_config(const json& arguments) {
  ConfigReader in("EncoderUNetModel", arguments);
  Config c = read_common(in);
  const std::string pool = in.optional<std::string>("pool", "adaptive");
  in.finish();
  check(in, c);
  const std::vector<std::string> pools = {"adaptive", "attention", "spatial", "spatial_v2"};
  const auto found = std::find(pools.begin(), pools.end(), pool);
  if (found == pools.end()) {
    in.fail("pool '" + pool + "' is none of adaptive, attention, spatial, spatial_v2." + did_you_mean(pool, pools));
  }
  c.pool = static_cast<PoolKind>(found - pools.begin());
  if (c.pool == PoolKind::kAttention && c.num_head_channels == -1) in.fail("attention pooling needs num_head_channels");
  return c;
}

json unet_arguments(const json& flags) {
  ConfigReader in("guided-diffusion flags", flags);
  const auto size = in.optional<int64_t>("image_size", 64);
  const std::string mult = in.optional<std::string>("channel_mult", "");
  json arguments = shared_arguments(
      in, size, mult.empty() ? default_channel_mult(in, size) : json(numbers(in, "channel_mult", mult)), 3);
  arguments["use_new_attention_order"] = in.optional("use_new_attention_order", false);
  in.finish();
  return arguments;
}

json upsampler_arguments(const json& flags) {
  ConfigReader in("guided-diffusion upsampler flags", flags);
  const auto size = in.optional<int64_t>("large_size", 256);
  in.ignore("small_size");
  if (size != 64 && size != 256 && size != 512) {
    in.fail("large_size must be 64, 256 or 512, got " + std::to_string(size));
  }
  json arguments = shared_arguments(in, size, default_channel_mult(in, size == 512 ? 256 : size), 6);
  in.finish();
  return arguments;
}

json encoder_arguments(const json& flags) {
  ConfigReader in("guided-diffusion classifier flags", flags);
  ignore_diffusion(in);
  in.ignore("classifier_use_fp16");
  const auto size = in.optional<int64_t>("image_size", 64);
  const std::string sizes = in.optional<std::string>("classifier_attention_resolutions", "32,16,8");
  const json arguments = {
      {"image_size", size},
      {"in_channels", 3},
      {"model_channels", in.optional<int64_t>("classifier_width", 128)},
      {"out_channels", 1000},
      {"num_res_blocks", in.optional<int64_t>("classifier_depth", 2)},
      {"attention_resolutions", downsampling_factors(in, "classifier_attention_resolutions", sizes, size)},
      {"channel_mult", default_channel_mult(in, size)},
      {"num_head_channels", 64},
      {"use_scale_shift_norm", in.optional("classifier_use_scale_shift_norm", true)},
      {"resblock_updown", in.optional("classifier_resblock_updown", true)},
      {"pool", in.optional<std::string>("classifier_pool", "attention")}};
  in.finish();
  return arguments;
}

json process(const json& flags) {
  const auto flag = [&](const char* name, json otherwise) { return flags.contains(name) ? flags.at(name) : otherwise; };
  const bool learn_sigma = flag("learn_sigma", false).get<bool>();
  return {{"steps", flag("diffusion_steps", 1000)},
          {"noise_schedule", flag("noise_schedule", "linear")},
          {"predict", flag("predict_xstart", false).get<bool>() ? "x0" : "epsilon"},
          {"learn_sigma", learn_sigma},
          {"model_var_type", learn_sigma ? "LEARNED_RANGE" : "FIXED_LARGE"},
          {"rescale_timesteps", flag("rescale_timesteps", false)}};
}

}  // namespace sextant::networks::adm
