// One factory per family of networks: builds the network that the "model" object of a config.json describes, without
// weights. A missing, unknown or unusable entry throws CheckpointError that names it.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "sextant/networks/autoencoder.h"
#include "sextant/networks/classifier.h"
#include "sextant/networks/clip.h"
#include "sextant/networks/denoiser.h"
#include "sextant/networks/noise_network.h"

namespace sextant::networks {

std::unique_ptr<Network> make_adm_unet(const nlohmann::json& model);     // arguments of guided-diffusion's UNetModel
std::unique_ptr<Network> make_adm_encoder(const nlohmann::json& model);  // arguments of its EncoderUNetModel
std::unique_ptr<Network> make_resnet(const nlohmann::json& model);
std::unique_ptr<Network> make_cifar_resnet(const nlohmann::json& model);
std::unique_ptr<Network> make_vit(const nlohmann::json& model);       // arguments of torchvision's VisionTransformer
std::unique_ptr<Network> make_convnext(const nlohmann::json& model);  // ... of its ConvNeXt
std::unique_ptr<Network> make_densenet(const nlohmann::json& model);  // ... of its DenseNet
std::unique_ptr<Network> make_efficientnet(const nlohmann::json& model);
std::unique_ptr<Network> make_mnist_features(const nlohmann::json& model);
std::unique_ptr<Network> make_inception(const nlohmann::json& model);
std::unique_ptr<EdmDenoiser> make_edm(
    const nlohmann::json& model);  // "precond" and the arguments of NVlabs/edm's class of that name
std::unique_ptr<EdmDenoiser> make_edm2(const nlohmann::json& model);  // arguments of NVlabs/edm2's Precond
std::unique_ptr<NoiseNetwork> make_dit(const nlohmann::json& model);  // arguments of facebookresearch/DiT's DiT
std::unique_ptr<Autoencoder> make_vae(const nlohmann::json& model);   // config.json of diffusers' AutoencoderKL
std::unique_ptr<Clip> make_clip(
    const nlohmann::json& model);  // arguments of openai/CLIP's CLIP, as clip_config() finds them

}  // namespace sextant::networks
