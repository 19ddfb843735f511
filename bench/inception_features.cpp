// Inception features of the images of an .npz, as images per second: the median of several runs after one that is not
// counted. The features go to OUT.npz, to be compared.
//
//   inception_features WEIGHTS IMAGES.npz OUT.npz [fp32|bf16] [threads] [batch] [runs]
#include <ATen/core/grad_mode.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/evaluation/evaluate.h"
#include "sextant/runtime/device.h"

int main(int argc, char** argv) try {
  using namespace sextant;
  using Clock = std::chrono::steady_clock;
  if (argc < 4) throw std::runtime_error("usage: inception_features WEIGHTS IMAGES.npz OUT.npz [fp32|bf16] [threads]");
  keep_freed_memory();
  set_threads(argc > 5 ? std::stoi(argv[5]) : 0);
  const int64_t batch = argc > 6 ? std::stoll(argv[6]) : 32;
  const int runs = argc > 7 ? std::stoi(argv[7]) : 3;
  const at::ScalarType precision = dtype_of(parse_precision(argc > 4 ? argv[4] : "fp32", at::kCPU));
  const auto extractor =
      evaluation::open_extractor({argv[1]}, evaluation::Protocol::kPytorchFid, {at::kCPU, precision});
  const Tensor images = checkpoint::NpzReader(argv[2]).read("arr_0").permute({0, 3, 1, 2}).contiguous();

  const at::NoGradGuard no_grad;
  std::vector<double> seconds;
  Tensor features;
  for (int run = 0; run <= runs; ++run) {
    std::vector<Tensor> parts;
    const auto start = Clock::now();
    for (const Tensor& part : images.split(batch)) parts.push_back(extractor.network->forward(part).at("pool"));
    if (run > 0) seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    features = at::cat(parts).to(at::kFloat);
  }
  std::sort(seconds.begin(), seconds.end());
  checkpoint::save_npz(argv[3], {{"features", features}});
  std::cout << nlohmann::json{{"images_per_s", static_cast<double>(images.size(0)) / seconds[seconds.size() / 2]},
                              {"threads", threads()}}
            << std::endl;
  return 0;
} catch (const std::exception& error) {
  std::cerr << "inception_features: " << error.what() << std::endl;
  return 1;
}
