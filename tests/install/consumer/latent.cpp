// Guides a latent model, itself guided classifier-free, by a classifier of images: latent MODEL VAE CLASSIFIER OUT.npz
#include <sextant/checkpoint/checkpoint.h>
#include <sextant/diffusion/process.h>
#include <sextant/guidance/score.h>
#include <sextant/models/classifier.h>
#include <sextant/models/denoiser.h>
#include <sextant/samplers/samplers.h>
using namespace sextant;

int main(int, char** path) {
  const models::DiffusionModel model = models::open_diffusion(path[1], "", {});
  models::DenoiserConfig config;
  config.cfg_scale = 2;
  config.vae = path[2];
  const models::Decoder decoder = models::open_decoder(model, config, {}).value();
  const auto classifier = classifiers::latent(models::open_classifier({.path = path[3]}, {}), decoder.decode);
  guidance::Guide guide(classifier, guidance::named_score("plain"));
  samplers::SamplerConfig sampler;
  sampler.steps = 4;
  const Tensor y = at::tensor({3, 1}, at::kLong);
  Noise noise(/*seed=*/0, /*samples=*/{0, 1}, model.sample_shape);
  const Tensor z = samplers::draw(sampler, models::open_denoiser(model, config, {}), &guide, y, y, noise);
  const Tensor bytes = diffusion::to_uint8(decoder.decode(z)).permute({0, 2, 3, 1}).contiguous();
  checkpoint::save_npz(path[4], {{"arr_0", bytes}, {"arr_1", y}});
}
