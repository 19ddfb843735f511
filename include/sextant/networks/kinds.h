// What each kind of network takes and gives.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "sextant/networks/network.h"

namespace sextant::networks {

/// A network that predicts noise (and perhaps variance) from a noisy image.
class NoiseNetwork : public Network {
 public:
  /// x [B, C, H, W]; t [B], the model's own timesteps, integral or floating; y [B] int64 class labels, or undefined for
  /// a network without classes. Returns [B, C_out, H, W] in float32 at least.
  virtual Tensor forward(const Tensor& x, const Tensor& t, const Tensor& y) const = 0;
  virtual std::vector<int64_t> image_shape() const = 0;  ///< [C, H, W]
  virtual int64_t out_channels() const = 0;
  virtual int64_t num_classes() const = 0;  ///< rows of the label table, the null class included; 0 if unconditional
  /// Channels that the published sampler's classifier-free guidance acts on.
  virtual int64_t cfg_channels() const { return image_shape()[0]; }
};

/// A network inside its preconditioning: estimates the clean image in x = image + sigma noise (Karras et al. 2022).
class EdmDenoiser : public Network {
 public:
  /// x [B, C, H, W]; sigma [B] or a single number for all, in (0, inf); labels: int64 ids [B], one-hot or mixed rows
  /// [B, K] or [1, K], or undefined for none (a row of zeros). An unconditional network ignores labels. Returns [B, C,
  /// H, W] in float32 at least. ShapeError for anything else.
  virtual Tensor denoise(const Tensor& x, const Tensor& sigma, const Tensor& labels = {}) const = 0;
  virtual std::vector<int64_t> image_shape() const = 0;  ///< [C, H, W]
  virtual int64_t num_classes() const = 0;               ///< K; 0 if unconditional
  virtual double sigma_min() const = 0;                  ///< smallest noise level the network was made for
  virtual double sigma_max() const = 0;                  ///< largest; may be infinite
  /// The nearest noise levels the network knows; sigma itself where it knows all. Any shape, dtype kept.
  virtual Tensor round_sigma(const Tensor& sigma) const { return sigma; }
};

/// A network that classifies images.
class ClassifierNetwork : public Network {
 public:
  /// x [B, C, H, W] in the network's own input convention; t [B] timesteps, ignored unless `uses_time()`.
  /// Returns logits [B, K] in float32 at least.
  virtual Tensor forward(const Tensor& x, const Tensor& t = {}) const = 0;
  virtual bool uses_time() const { return false; }
  virtual int64_t num_classes() const = 0;
  virtual int64_t image_size() const { return 0; }  ///< height and width that x must have; 0 takes any

  /// Layers that describe an image, called as the reference calls the module, the one before the last linear layer
  /// first; empty for none.
  virtual std::vector<std::string> feature_layers() const { return {}; }
  /// The output of `layer` [B, D] in float32 at least, averaged over the pixels where it has any. UsageError that lists
  /// feature_layers() for another word.
  Tensor features(const Tensor& x, const std::string& layer) const;

 protected:
  /// Hears the name and the output of each of feature_layers().
  using LayerSeen = std::function<void(const std::string& layer, const Tensor& output)>;
  /// forward(x), telling `seen`, which may be empty. For networks with feature_layers().
  virtual Tensor trace(const Tensor& x, const LayerSeen& seen) const;
};

/// Mean and deviation of ImageNet's pixels in [0, 1], per channel: its classifiers are normalised by them.
inline constexpr double kImageNetMean[3] = {0.485, 0.456, 0.406};
inline constexpr double kImageNetStd[3] = {0.229, 0.224, 0.225};

// Networks whose inner values describe images, for the Frechet distance and its relatives.

/// Brings its own preprocessing: everybody hands it plain pixels.
class FeatureNetwork : public Network {
 public:
  using Features = std::map<std::string, Tensor>;

  /// images [B, C, H, W], pixels 0 to 255, uint8 or floating point. Every feature that the network has, by name, each
  /// [B, D] in float32 at least, rows independent of the rest of the batch:
  ///   pool             features of the Frechet distance, the kernel distance, precision and recall
  ///   spatial          features of the spatial Frechet distance (Inception: 2023)
  ///   logits           of the network's own classes
  ///   logits_unbiased  without the last layer's bias; their softmax over all classes is the inception score's
  ///   feat768          averages of an earlier layer (Inception)
  /// ShapeError for other shapes.
  virtual Features forward(const Tensor& images) const = 0;
  virtual int64_t channels() const = 0;             ///< C
  virtual int64_t image_size() const { return 0; }  ///< H and W, or 0 where every size will do
};

/// A variational autoencoder between images and the latents that a latent diffusion model works on (Rombach et al.
/// 2022).
class Autoencoder : public Network {
 public:
  struct Latent {
    Tensor mean;     ///< [B, latent_channels, H / factor, W / factor], not yet scaled
    Tensor log_var;  ///< the same shape, in [-30, 20]
  };

  /// x [B, 3, H, W] in [-1, 1], H and W multiples of factor().
  virtual Latent encode(const Tensor& x) const = 0;
  /// z [B, latent_channels, h, w], not scaled; returns [B, 3, h factor, w factor], about [-1, 1], not clipped.
  virtual Tensor decode(const Tensor& z) const = 0;
  virtual int64_t latent_channels() const = 0;
  virtual int64_t factor() const = 0;
  virtual double scaling_factor() const = 0;  ///< the diffusion model sees mean * scaling_factor
};

/// CLIP: images and texts in one space (Radford et al. 2021).
class Clip : public Network {
 public:
  /// image [B, 3, R, R], normalised with the mean and deviation of kClipMean and kClipStd. Returns [B, D], not
  /// normalised.
  virtual Tensor image_features(const Tensor& image) const = 0;
  /// tokens [N, L] int64, as ClipTokenizer makes them. Returns [N, D], not normalised.
  virtual Tensor text_features(const Tensor& tokens) const = 0;
  /// exp(logit_scale) cos(image_i, text_j) [B, N] of features [B, D] and [N, D], normalised or not.
  virtual Tensor logits(const Tensor& image_features, const Tensor& text_features) const = 0;
  virtual int64_t image_resolution() const = 0;  ///< R
  virtual int64_t context_length() const = 0;    ///< L
};

inline constexpr double kClipMean[3] = {0.48145466, 0.4578275, 0.40821073};
inline constexpr double kClipStd[3] = {0.26862954, 0.26130258, 0.27577711};

}  // namespace sextant::networks
