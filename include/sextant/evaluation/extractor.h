// The network that embeds images, with what identifies its numbers.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sextant/data/images.h"
#include "sextant/networks/features.h"

namespace sextant::evaluation {

/// Whose numbers ours are to agree with; docs/metrics.md says where they differ. Numbers of different protocols must
/// not be compared.
enum class Protocol {
  kOpenAi,         ///< guided-diffusion's evaluator: TensorFlow 1 resize; inception score in chunks of 5000
  kPytorchFid,     ///< pytorch-fid: F.interpolate on [0, 1]; inception score in 10 parts in order
  kTorchFidelity,  ///< torch-fidelity: TensorFlow 1 resize; inception score in 10 parts after a fixed shuffle
};
/// Their words: "openai", "pytorch-fid", "torch-fidelity".
const std::vector<std::pair<std::string, Protocol>>& protocol_words();
std::string name_of(Protocol protocol);

/// A feature network with what identifies its numbers.
struct FeatureExtractor {
  std::shared_ptr<const networks::FeatureNetwork> network;
  std::string name;  ///< its type and resize or layer: "inception-fid (tensorflow1)", "resnet (avgpool)"
  std::string hash;  ///< of configuration and weights, 32 hexadecimal digits
  data::NetworkClasses classes = {};  ///< of its logits, as far as its config.json tells them

  bool is_inception() const;
};

/// The network of `path`: a model folder; a file of Inception weights (pt_inception-2015-12-05, as pytorch-fid and
/// torch-fidelity publish it), which resizes as `protocol` does; or with `arch` or `layer` a checkpoint file of another
/// network, whose `layer` describes the images, see models::open_features(). An image classifier needs a `layer`.
FeatureExtractor open_extractor(const std::filesystem::path& path, Protocol protocol, at::Device device = at::kCPU,
                                at::ScalarType precision = at::kFloat, const std::string& arch = "",
                                const std::string& layer = "");

/// Of the folder of a mixture 10,000 exact draws, always the same. Else data::open_images() with as many channels as
/// the network takes, for the network's classes where `read` names none.
std::unique_ptr<data::ImageSet> open_images_for(const FeatureExtractor& extractor, const std::filesystem::path& path,
                                                const data::ReadOptions& read = {});

}  // namespace sextant::evaluation
