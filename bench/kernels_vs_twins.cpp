// What each fused operation is worth: its time against its plain twin's on one shape, and how much longer a guided step
// of a whole network takes when it computes by its twin alone. User time of one thread, the fastest of runs of both
// kinds in turn; prints the tables of docs/performance.md.
//
//   taskset -c 1 kernels_vs_twins [--runs 9] [--big-runs 3] [--models models]
//
// --big-runs 0 leaves the ImageNet-128 ADM with its ResNet-101 out, which takes minutes.
#include <ATen/core/grad_mode.h>
#include <sys/resource.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include "internal/kernels/activation.h"
#include "internal/kernels/attention.h"
#include "internal/kernels/convolution.h"
#include "internal/kernels/fused.h"
#include "internal/kernels/linear.h"
#include "internal/kernels/norm.h"
#include "random_network.h"
#include "sextant/runtime/device.h"

namespace {

using namespace sextant;
using kernels::Fused;

const std::vector<std::pair<Fused, const char*>> kOperations = {
    {Fused::kNorm, "group norm"},          {Fused::kResample, "resample"},    {Fused::kAttention, "attention"},
    {Fused::kWinograd, "3x3 by Winograd"}, {Fused::kPanels, "1x1 by panels"}, {Fused::kPacked, "packed oneDNN"},
    {Fused::kFrozen, "frozen in oneDNN"},  {Fused::kLinear, "linear"},        {Fused::kActivation, "activation"},
};

double user_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec);
}

/// Other work on the machine only ever adds to a time.
double fastest(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }

struct Comparison {
  double fused, plain;  ///< seconds
};

/// The fastest of `runs` pairs of `times` calls of `work`, with `operation` fused and plain in turn; seconds a call.
Comparison compare(Fused operation, int runs, const std::function<void()>& work, int times = 1) {
  std::vector<double> seconds[2];
  for (int run = -1; run < runs; ++run) {
    for (const bool fused : {true, false}) {
      kernels::set_fused(operation, fused);
      const double start = user_seconds();
      for (int i = 0; i < times; ++i) work();
      if (run >= 0) seconds[fused].push_back((user_seconds() - start) / times);
    }
  }
  kernels::set_fused(operation, true);
  return {fastest(seconds[1]), fastest(seconds[0])};
}

/// Calls of `work` that take long enough to be measured.
int calls_to_measure(const std::function<void()>& work) {
  work();
  const double start = user_seconds();
  int times = 0;
  for (; user_seconds() - start < 0.02; ++times) work();
  return times;
}

std::string name_of(Fused wanted) {
  const auto found = std::find_if(kOperations.begin(), kOperations.end(),
                                  [&](const auto& operation) { return operation.first == wanted; });
  return found->second;
}

template <class... Arguments>
std::string format(const char* pattern, Arguments... arguments) {
  char text[128];
  std::snprintf(text, sizeof text, pattern, arguments...);
  return text;
}

// ---- one operation on one shape ----------------------------------------------------------------------------------

struct Shape {
  Fused operation;
  std::string what;
  std::function<void()> work;
};

kernels::GroupNorm norm_of(int64_t channels, int64_t batch, kernels::Resampling resampling) {
  kernels::GroupNorm norm;
  norm.weight = at::ones({channels});
  norm.bias = at::zeros({channels});
  norm.scale = at::randn({batch, channels});
  norm.shift = at::randn({batch, channels});
  norm.silu = true;
  norm.resampling = resampling;
  return norm;
}

std::vector<Shape> shapes(at::ScalarType type) {
  const auto images = [type](std::vector<int64_t> sizes) {
    return at::randn(sizes).to(type).contiguous(at::MemoryFormat::ChannelsLast);
  };
  const auto convolution = [&](int64_t out, int64_t in, int64_t kernel, int64_t stride, int64_t size) {
    kernels::Convolution result(at::randn({out, in, kernel, kernel}).to(type), at::randn({out}).to(type), stride,
                                kernel / 2);
    result.lay_out(size, size);
    return [result, x = images({2, in, size, size})] { result(x); };
  };
  std::vector<Shape> list;
  for (const int64_t size : {64, 16}) {
    const int64_t channels = size == 64 ? 128 : 512;
    const Tensor x = images({2, channels, size, size});
    list.push_back({Fused::kNorm, "2 x " + std::to_string(channels) + " x " + std::to_string(size) + "^2, SiLU",
                    [x, norm = norm_of(channels, 2, kernels::Resampling::kKeep)] { kernels::group_norm(x, norm); }});
  }
  const Tensor x = images({2, 256, 32, 32});
  list.push_back(
      {Fused::kResample, "2 x 256 x 32^2, doubled", [x] { kernels::resample(x, kernels::Resampling::kDouble); }});
  const Tensor q = at::randn({2, 256, 8, 64}).to(type).transpose(1, 2);
  list.push_back({Fused::kAttention, "2 x 8 heads, 256 x 64", [q] { kernels::attention(q, q, q, 0.125); }});
  const bool floats = type == at::kFloat;
  const Fused three = floats ? Fused::kWinograd : Fused::kPacked, one = floats ? Fused::kPanels : Fused::kPacked;
  list.push_back({three, "3x3, 2 x 128 -> 128 x 64^2", convolution(128, 128, 3, 1, 64)});
  list.push_back({three, "3x3, 2 x 256 -> 256 x 16^2", convolution(256, 256, 3, 1, 16)});
  list.push_back({one, "1x1, 2 x 512 -> 1536 x 16^2", convolution(1536, 512, 1, 1, 16)});
  list.push_back({Fused::kPacked, "3x3 by 2, 2 x 128 -> 128 x 64^2", convolution(128, 128, 3, 2, 64)});
  const Tensor weight = at::randn({256, 64, 1, 1}).to(type), small = images({1, 64, 56, 56});
  list.push_back({Fused::kFrozen, "1x1, 1 x 64 -> 256 x 56^2", [=] { kernels::frozen_conv2d(small, weight, {}, {}); }});
  const Tensor rows = at::randn({2, 512}).to(type), matrix = at::randn({2048, 512}).to(type);
  list.push_back({Fused::kLinear, "2 rows, 512 -> 2048", [=] { kernels::linear(rows, matrix, {}); }});
  list.push_back({Fused::kActivation, "softplus, 2 x 256 x 32^2", [=] { kernels::activate(x.clone(), 3); }});
  return list;
}

void print_shapes(int runs) {
  std::cout << "| operation | shape | fp32, ms | twin / fused | bf16, ms | twin / fused |\n"
               "| --- | --- | ---: | ---: | ---: | ---: |\n";
  const at::NoGradGuard no_grad;
  std::map<std::string, std::string> cells;
  std::vector<std::string> rows;
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (const Shape& shape : shapes(type)) {
      const Comparison both = compare(shape.operation, runs, shape.work, calls_to_measure(shape.work));
      if (type == at::kFloat) rows.push_back("| " + name_of(shape.operation) + " | " + shape.what + " |");
      cells[shape.what] += format(" %.3g | %.2f |", 1e3 * both.fused, both.plain / both.fused);
    }
  }
  std::size_t i = 0;
  for (const Shape& shape : shapes(at::kFloat)) std::cout << rows[i++] << cells[shape.what] << '\n';
}

// ---- guided steps of whole networks ------------------------------------------------------------------------------

/// What a guided step computes in networks: the denoiser once, the classifier there and back.
struct Step {
  std::shared_ptr<const networks::NoiseNetwork> denoiser;
  std::shared_ptr<const networks::ClassifierNetwork> classifier;
  Tensor x, t, y;

  void operator()() const {
    {
      const at::NoGradGuard no_grad;
      denoiser->forward(x, t, y);
    }
    const Tensor x0 = x.detach().clone().requires_grad_();
    const Tensor f = at::log_softmax(classifier->forward(x0).to(at::kFloat), 1);
    torch::autograd::grad({f.gather(1, y.unsqueeze(1)).sum()}, {x0});
  }
};

Step mnist_step(const std::filesystem::path& models, models::Placement place) {
  const auto open = [&](models::Description description) { return models::open_network(description, place); };
  models::Description classifier = models::describe(models / "mnist-classifier");
  classifier.config["model"]["softplus_beta"] = 3.0;
  return {std::dynamic_pointer_cast<const networks::NoiseNetwork>(open(models::describe(models / "mnist-adm"))),
          std::dynamic_pointer_cast<const networks::ClassifierNetwork>(open(classifier)), at::randn({64, 1, 28, 28}),
          at::full({64}, 500.0f), at::arange(64, at::kLong).remainder(10)};
}

Step imagenet_step(models::Placement place) {
  const nlohmann::json unet = models::arch_config("adm128-cond");
  nlohmann::json resnet = models::arch_config("resnet101");
  resnet["model"]["softplus_beta"] = 3.0;
  return {bench::random_network<const networks::NoiseNetwork>(unet, bench::random_weights(unet), place),
          bench::random_network<const networks::ClassifierNetwork>(resnet, bench::random_weights(resnet), place),
          at::randn({1, 3, 128, 128}), at::full({1}, 500.0f), at::arange(1, at::kLong)};
}

/// Seconds of a step, and by how much of itself it grows where one operation is plain.
void print_steps(const std::string& name, int runs, const std::function<Step(models::Placement)>& make) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const Step step = make({at::kCPU, type});
    std::string row = "| " + name + ", " + (type == at::kFloat ? "fp32" : "bf16") + " |";
    std::string seconds;
    std::string gains;
    for (const auto& [operation, operation_name] : kOperations) {
      const Comparison both = compare(operation, runs, [&] { step(); });
      if (seconds.empty()) seconds = format(" %.3g |", both.fused);
      gains += format(" %+.1f %% |", 100 * (both.plain / both.fused - 1));
    }
    std::cout << row << seconds << gains << std::endl;
  }
}

void print_head() {
  std::string head = "\n| step | s |", rule = "| --- | ---: |";
  for (const auto& operation : kOperations) {
    head += std::string(" ") + operation.second + " |";
    rule += " ---: |";
  }
  std::cout << head << '\n' << rule << std::endl;
}

}  // namespace

int main(int argc, char** argv) try {
  std::map<std::string, std::string> flags = {{"runs", "9"}, {"big-runs", "3"}, {"models", "models"}};
  for (int i = 1; i + 1 < argc; i += 2) flags.at(std::string(argv[i]).substr(2)) = argv[i + 1];
  const int runs = std::stoi(flags.at("runs")), big_runs = std::stoi(flags.at("big-runs"));
  const std::filesystem::path folder = flags.at("models");
  keep_freed_memory();
  set_threads(1);
  at::manual_seed(0);
  print_shapes(runs);
  print_head();
  print_steps("MNIST ADM, batch 64", runs, [&](models::Placement place) { return mnist_step(folder, place); });
  if (big_runs > 0) {
    print_steps("ImageNet-128 ADM and ResNet-101, batch 1", big_runs, imagenet_step);
  }
} catch (const std::exception& problem) {
  std::cerr << "kernels_vs_twins: " << problem.what() << '\n';
  return 1;
}
