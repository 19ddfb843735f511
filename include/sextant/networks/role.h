#pragma once

namespace sextant::networks {

/// What a family of networks does, and so which interface its networks have.
enum class Role {
  kNoise,        ///< NoiseNetwork
  kSigma,        ///< EdmDenoiser
  kClassifier,   ///< ClassifierNetwork
  kFeatures,     ///< FeatureNetwork
  kAutoencoder,  ///< Autoencoder
  kClip,         ///< Clip
};

}  // namespace sextant::networks
