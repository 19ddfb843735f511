// Networks that come as TorchScript archives. Such a file is a program: it runs in libtorch's own interpreter, without
// Python and without native code of its own, and is opened only where the user says that it is one.
#include "sextant/networks/network.h"

#include <ATen/core/grad_mode.h>
#include <c10/util/StringUtil.h>

#include "config_reader.h"
#include "internal/networks/family.h"
#include "internal/runtime/options.h"
#include "internal/runtime/text.h"
#include "logits.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"
#include "torchscript/script.h"

namespace sextant::networks::torchscript {
namespace {

enum class Predicts { kLogits, kNoise, kDenoised, kFeatures };

const Words<Predicts>& predicts_words() {
  static const Words<Predicts> kWords = {{"logits", Predicts::kLogits},
                                         {"noise", Predicts::kNoise},
                                         {"denoised", Predicts::kDenoised},
                                         {"features", Predicts::kFeatures}};
  return kWords;
}

struct Config {
  Predicts predicts = Predicts::kLogits;
  int64_t in_channels = 3;
  int64_t image_size = 0;
  int64_t classes = 0;
  bool uses_time = false;
  double sigma_min = 0.002;
  double sigma_max = 80;
  double softplus_beta = 0;
};

Predicts predicts_of(const std::string& chosen, const ConfigReader& read) {
  if (const Predicts* predicts = value_of(predicts_words(), chosen)) return *predicts;
  const std::vector<std::string> known = names_of(predicts_words());
  read.fail("predicts '" + chosen + "' is none of " + joined(known, ", ") + "." + did_you_mean(chosen, known));
}

Config read_config(const nlohmann::json& model) {
  ConfigReader read("torchscript", model);
  Config c;
  const std::string predicts = read.optional("predicts", word_of(predicts_words(), c.predicts));
  c.in_channels = read.optional("in_channels", c.in_channels);
  c.image_size = read.optional("image_size", c.image_size);
  c.classes = read.optional("classes", c.classes);
  c.uses_time = read.optional("uses_time", c.uses_time);
  c.sigma_min = read.optional("sigma_min", c.sigma_min);
  c.sigma_max = read.optional("sigma_max", c.sigma_max);
  c.softplus_beta = read.optional("softplus_beta", c.softplus_beta);
  read.finish();
  c.predicts = predicts_of(predicts, read);
  const bool draws = c.predicts == Predicts::kNoise || c.predicts == Predicts::kDenoised;
  if (draws && c.image_size < 1) read.fail("a network that predicts " + predicts + " needs 'image_size'");
  if (c.in_channels < 1 || c.image_size < 0 || c.classes < 0) read.fail("sizes must be positive");
  return c;
}

/// A program inside one of the interfaces: its weights stand among the parameters, so that it can be recognised.
template <class Interface>
class Scripted : public Interface {
 public:
  Scripted(const Config& config, std::shared_ptr<const Script> script, at::Device device, at::ScalarType type)
      : config_(config), script_(std::move(script)) {
    for (const auto& [name, tensor] : script_->weights()) this->parameters_.declare_constant(name, tensor);
    this->to(device, type);
  }

 protected:
  Tensor run(const std::vector<Tensor>& arguments) const { return as_logits((*script_)(arguments)); }
  Tensor images(const Tensor& x) const { return x.to(this->compute_type()); }

  /// The result for one image of zeros and `more`; CheckpointError where there is none of `dims` dimensions.
  Tensor trial(const std::vector<Tensor>& more, int64_t dims) const {
    const int64_t side = config_.image_size > 0 ? config_.image_size : 224;
    std::vector<Tensor> arguments = {at::zeros({1, config_.in_channels, side, side}, this->device())};
    arguments[0] = images(arguments[0]);
    arguments.insert(arguments.end(), more.begin(), more.end());
    const at::NoGradGuard no_grad;
    const auto fail = [&](const std::string& why) {
      return CheckpointError(c10::str(script_->file().string(), ": tried with one image ", arguments[0].sizes(), ": ",
                                      why, "; a folder with a config.json can say what it takes"));
    };
    Tensor result;
    try {
      result = run(arguments);
    } catch (const Error& error) {
      throw fail(error.what());
    }
    if (result.dim() != dims || result.size(0) != 1) {
      throw fail(c10::str("it predicts ", word_of(predicts_words(), config_.predicts), " but gave ", result.sizes()));
    }
    return result;
  }

  Tensor at_time(double t) const { return at::full({1}, t, at::TensorOptions(at::kFloat).device(this->device())); }
  Tensor at_step() const { return at::zeros({1}, at::TensorOptions(at::kLong).device(this->device())); }

  Config config_;
  std::shared_ptr<const Script> script_;
};

class ScriptClassifier : public Scripted<ClassifierNetwork> {
 public:
  template <class... Arguments>
  explicit ScriptClassifier(Arguments&&... arguments) : Scripted(std::forward<Arguments>(arguments)...) {
    const int64_t given = config_.classes;
    config_.classes = trial(config_.uses_time ? std::vector<Tensor>{at_step()} : std::vector<Tensor>{}, 2).size(1);
    if (given > 0 && given != config_.classes) {
      throw CheckpointError(
          c10::str(script_->file().string(), ": it has ", config_.classes, " classes but config.json says ", given));
    }
  }
  Tensor forward(const Tensor& x, const Tensor& t) const override {
    return config_.uses_time ? run({images(x), t}) : run({images(x)});
  }
  bool uses_time() const override { return config_.uses_time; }
  int64_t num_classes() const override { return config_.classes; }
  std::vector<std::string> feature_layers() const override {
    return config_.uses_time ? std::vector<std::string>{} : std::vector<std::string>{"output"};
  }

 protected:
  Tensor trace(const Tensor& x, const LayerSeen& seen) const override {
    const Tensor f = forward(x, {});
    if (seen) seen("output", f);
    return f;
  }
};

class ScriptNoise : public Scripted<NoiseNetwork> {
 public:
  template <class... Arguments>
  explicit ScriptNoise(Arguments&&... arguments) : Scripted(std::forward<Arguments>(arguments)...) {
    std::vector<Tensor> more = {at_step()};
    if (config_.classes > 0) more.push_back(at_step());
    out_channels_ = trial(more, 4).size(1);
  }
  Tensor forward(const Tensor& x, const Tensor& t, const Tensor& y) const override {
    return config_.classes > 0 ? run({images(x), t, y}) : run({images(x), t});
  }
  std::vector<int64_t> image_shape() const override {
    return {config_.in_channels, config_.image_size, config_.image_size};
  }
  int64_t out_channels() const override { return out_channels_; }
  int64_t num_classes() const override { return config_.classes; }

 private:
  int64_t out_channels_ = 0;
};

class ScriptDenoiser : public Scripted<EdmDenoiser> {
 public:
  template <class... Arguments>
  explicit ScriptDenoiser(Arguments&&... arguments) : Scripted(std::forward<Arguments>(arguments)...) {
    std::vector<Tensor> more = {at_time(1)};
    if (config_.classes > 0) more.push_back(one_hot({}, 1));
    const Tensor result = trial(more, 4);
    if (result.size(1) != config_.in_channels) {
      throw CheckpointError(
          c10::str(script_->file().string(), ": it predicts denoised images but gave ", result.sizes()));
    }
  }
  Tensor denoise(const Tensor& x, const Tensor& sigma, const Tensor& labels) const override {
    const Tensor level = sigma.to(x.device(), at::kFloat).reshape({-1}).expand({x.size(0)});
    return config_.classes > 0 ? run({images(x), level, one_hot(labels, x.size(0))}) : run({images(x), level});
  }
  std::vector<int64_t> image_shape() const override {
    return {config_.in_channels, config_.image_size, config_.image_size};
  }
  int64_t num_classes() const override { return config_.classes; }
  double sigma_min() const override { return config_.sigma_min; }
  double sigma_max() const override { return config_.sigma_max; }

 private:
  /// Rows of labels [B, K], zeros for none.
  Tensor one_hot(const Tensor& labels, int64_t rows) const {
    if (!labels.defined())
      return at::zeros({rows, config_.classes}, at::TensorOptions(compute_type()).device(device()));
    const Tensor all = labels.dim() == 1 ? at::one_hot(labels, config_.classes) : labels;
    return all.to(device(), compute_type()).expand({rows, config_.classes});
  }
};

class ScriptFeatures : public Scripted<FeatureNetwork> {
 public:
  template <class... Arguments>
  explicit ScriptFeatures(Arguments&&... arguments) : Scripted(std::forward<Arguments>(arguments)...) {
    trial({}, 2);
  }
  Features forward(const Tensor& x) const override { return {{"pool", run({images(x)})}}; }
  int64_t channels() const override { return config_.in_channels; }
};

/// Opens an archive of torch.jit.save, frozen for inference, by the "model" object of a config.json:
///
///   predicts       "logits" (the default), "noise", "denoised" or "features": what its forward gives for
///                    logits     (x) or, with "uses_time", (x, t)      -> [B, classes]
///                    noise      (x, t) or, with classes, (x, t, y)    -> [B, out_channels, H, W]
///                    denoised   (x, sigma) or (x, sigma, labels)      -> [B, in_channels, H, W]
///                    features   (x)                                   -> [B, D], of pixels from 0 to 255
///   in_channels    of the images; 3
///   image_size     side of the images; needed by "noise" and "denoised"
///   classes        of labels; 0 for none. A classifier is asked by a trial where it is left out
///   uses_time      of a noise-aware classifier
///   sigma_min, sigma_max   of "denoised"; 0.002 and 80
///   softplus_beta  > 0 puts softplus(beta x)/beta in place of every aten::relu and aten::relu_ of the inlined graph;
///                  relu6, leaky_relu and the like stay
///
/// The network is tried once with zeros. CheckpointError where the file is no archive or the trial fails, UsageError
/// for softplus_beta where there is no ReLU.
std::unique_ptr<Network> open(const nlohmann::json& model, const std::filesystem::path& file, at::Device device,
                              at::ScalarType precision) {
  const Config config = read_config(model);
  const at::ScalarType computable = arithmetic_type(precision, device);
  const auto script = std::make_shared<const Script>(file, device, precision, config.softplus_beta);
  // The weights of an archive that was frozen before it was saved are constants of its program and stay as they are.
  const at::ScalarType type = script->weights().empty() ? at::kFloat : computable;
  switch (config.predicts) {
    case Predicts::kNoise:
      return std::make_unique<ScriptNoise>(config, script, device, type);
    case Predicts::kDenoised:
      return std::make_unique<ScriptDenoiser>(config, script, device, type);
    case Predicts::kFeatures:
      return std::make_unique<ScriptFeatures>(config, script, device, type);
    case Predicts::kLogits:
      break;
  }
  return std::make_unique<ScriptClassifier>(config, script, device, type);
}

std::vector<Preset> presets() {
  return {{"torchscript", {{"type", "torchscript"}, {"model", {{"predicts", "logits"}}}}}};
}

}  // namespace

Family family() { return {.type = "torchscript", .role = Role::kClassifier, .presets = presets, .open = open}; }

}  // namespace sextant::networks::torchscript
