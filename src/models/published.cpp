#include "internal/models/published.h"

#include <algorithm>

namespace sextant::models {

const std::vector<PublishedFile>& published_files() {
  static const std::string kOpenAi = "https://openaipublic.blob.core.windows.net/diffusion/jul-2021/";
  static const std::string kTorchvision = "https://download.pytorch.org/models/";
  static const std::string kNvidia = "https://nvlabs-fi-cdn.nvidia.com/edm/";
  static const std::string kEdm2 = "https://nvlabs-fi-cdn.nvidia.com/edm2/posthoc-reconstructions/";
  static const std::string kVae = "/resolve/main/diffusion_pytorch_model.safetensors";
  static const std::string kStability = "https://huggingface.co/stabilityai/";
  static const std::vector<PublishedFile> kFiles = {
      {"128x128_diffusion.pt", "1.7 GB", kOpenAi + "128x128_diffusion.pt", "", ""},
      {"128x128_classifier.pt", "0.2 GB", kOpenAi + "128x128_classifier.pt", "", ""},
      {"256x256_diffusion_uncond.pt", "2.2 GB", kOpenAi + "256x256_diffusion_uncond.pt", "", ""},
      {"VIRTUAL_imagenet128_labeled.npz", "0.5 GB",
       kOpenAi + "ref_batches/imagenet/128/VIRTUAL_imagenet128_labeled.npz", "", ""},
      {"VIRTUAL_imagenet256_labeled.npz", "2.0 GB",
       kOpenAi + "ref_batches/imagenet/256/VIRTUAL_imagenet256_labeled.npz", "", ""},
      {"resnet50-11ad3fa6.pth", "0.1 GB", kTorchvision + "resnet50-11ad3fa6.pth", "11ad3fa6...", ""},
      {"resnet101-cd907fc2.pth", "0.2 GB", kTorchvision + "resnet101-cd907fc2.pth", "cd907fc2...", ""},
      {"edm-imagenet-64x64-cond-adm.pkl", "1.2 GB", kNvidia + "pretrained/edm-imagenet-64x64-cond-adm.pkl", "", ""},
      {"imagenet-64x64.npz", "34 MB", kNvidia + "fid-refs/imagenet-64x64.npz", "", ""},
      {"DiT-XL-2-256x256.pt", "2.7 GB", "https://dl.fbaipublicfiles.com/DiT/models/DiT-XL-2-256x256.pt", "", ""},
      {"sd-vae-ft-ema.safetensors", "0.3 GB", kStability + "sd-vae-ft-ema" + kVae, "",
       "rename diffusion_pytorch_model.safetensors"},
      {"sd-vae-ft-mse.safetensors", "0.3 GB", kStability + "sd-vae-ft-mse" + kVae, "",
       "rename diffusion_pytorch_model.safetensors"},
      {"edm2-img64-s-1073741-0.045.pkl", "0.6 GB", kEdm2 + "edm2-img64-s-1073741-0.045.pkl", "", ""},
      {"edm2-img64-xs-0134217-0.110.pkl", "0.25 GB", kEdm2 + "edm2-img64-xs-0134217-0.110.pkl", "", ""},
      {"edm2-img512-s-2147483-0.070.pkl", "0.6 GB", kEdm2 + "edm2-img512-s-2147483-0.070.pkl", "", ""},
      {"edm2-img512-xs-0134217-0.125.pkl", "0.25 GB", kEdm2 + "edm2-img512-xs-0134217-0.125.pkl", "", ""},
      {"ViT-B-16.pt", "0.4 GB",
       "https://openaipublic.azureedge.net/clip/models/"
       "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f/ViT-B-16.pt",
       "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f", ""},
      {"pt_inception-2015-12-05-6726825d.pth", "96 MB",
       "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
       "6726825d...", ""},
  };
  return kFiles;
}

const PublishedFile* published_file(const std::filesystem::path& path) {
  const auto& files = published_files();
  const std::string name = path.filename();
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const PublishedFile& file) { return file.name == name; });
  return found == files.end() ? nullptr : &*found;
}

}  // namespace sextant::models
