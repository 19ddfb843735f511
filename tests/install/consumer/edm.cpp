// Guides an EDM model, which counts noise levels, by a classifier: edm MODEL CLASSIFIER OUT.npz
#include <sextant/checkpoint/checkpoint.h>
#include <sextant/diffusion/process.h>
#include <sextant/guidance/score.h>
#include <sextant/models/classifier.h>
#include <sextant/models/denoiser.h>
#include <sextant/samplers/samplers.h>
using namespace sextant;

int main(int, char** path) {
  const models::DiffusionModel model = models::open_diffusion(path[1], "", {});
  guidance::Guide guide(models::open_classifier({.path = path[2]}, {}), guidance::named_score("js"));
  samplers::SamplerConfig sampler;
  sampler.sampler = samplers::sample_edm_heun;
  sampler.steps = 4;
  const Tensor y = at::tensor({3, 1}, at::kLong);
  Noise noise(/*seed=*/0, /*samples=*/{0, 1}, model.sample_shape);
  const Tensor x = samplers::draw(sampler, model.denoiser(), &guide, /*labels=*/y, /*targets=*/y, noise);
  const Tensor bytes = diffusion::to_uint8(x, diffusion::Rounding::kEdm).permute({0, 2, 3, 1}).contiguous();
  checkpoint::save_npz(path[3], {{"arr_0", bytes}, {"arr_1", y}});
}
