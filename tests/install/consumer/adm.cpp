// Guides an ADM model by a classifier and a score of one's own: adm MODEL CLASSIFIER OUT.npz
#include <sextant/checkpoint/checkpoint.h>
#include <sextant/diffusion/process.h>
#include <sextant/models/classifier.h>
#include <sextant/models/denoiser.h>
#include <sextant/samplers/samplers.h>
using namespace sextant;

int main(int, char** path) {
  const models::DiffusionModel model = models::open_diffusion(path[1], "", {});
  const auto margin = [](const Tensor& f, const Tensor& y, const guidance::Step&) {  // S = f_y - mean f
    const Tensor is_y = at::one_hot(y, f.size(1)).to(f.scalar_type());
    return guidance::Score{(is_y * f).sum(1) - f.mean(1), is_y - 1.0 / static_cast<double>(f.size(1))};
  };
  guidance::Guide guide(models::open_classifier({.path = path[2]}, {}), margin);
  samplers::SamplerConfig sampler;
  sampler.steps = 50;
  const Tensor y = at::tensor({3, 1}, at::kLong);
  Noise noise(/*seed=*/0, /*samples=*/{0, 1}, model.sample_shape);
  const Tensor x = samplers::draw(sampler, model.denoiser(), &guide, /*labels=*/y, /*targets=*/y, noise);
  checkpoint::save_npz(path[3], {{"arr_0", diffusion::to_uint8(x).permute({0, 2, 3, 1}).contiguous()}, {"arr_1", y}});
}
