// Networks that come as TorchScript archives. Such a file is a program: it runs in libtorch's own interpreter, without
// Python and without native code of its own, and is opened only where the user says that it is one.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "internal/networks/presets.h"
#include "sextant/networks/network.h"

namespace sextant::networks {

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
std::unique_ptr<Network> open_torchscript(const nlohmann::json& model, const std::filesystem::path& file,
                                          at::Device device, at::ScalarType precision);

/// "torchscript": a bare archive, a classifier.
std::vector<Preset> torchscript_presets();

}  // namespace sextant::networks
