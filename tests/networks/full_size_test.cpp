// Networks at their published size, frozen as the program runs them, on weights by the fill rule: against the Python
// originals on the same weights (data/full_references.py).
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>

#include "networks/made.h"
#include "sextant/networks/network.h"
#include "support/golden.h"

namespace sextant::networks {
namespace {

using testing::Golden;
using testing::Tolerance;

nlohmann::json preset_config(const std::vector<Preset>& presets, const std::string& arch) {
  for (const Preset& preset : presets) {
    if (preset.name == arch) return preset.config.at("model");
  }
  throw std::runtime_error("no preset is called " + arch);
}

/// The network with the weights of the file, ready to run.
template <class Type>
std::unique_ptr<Type> loaded(std::unique_ptr<Type> network, const Golden& golden) {
  network->load(golden.weights());
  network->freeze();
  return network;
}

/// Runs a file's network on its inputs. Only that network is in memory.
Tensor output_of(const Golden& golden, double& seconds) {
  const std::string arch = golden.config().at("arch");
  const std::string kind = golden.metadata("kind");
  const auto timed = [&](const std::function<Tensor()>& forward) {
    const auto start = std::chrono::steady_clock::now();
    const Tensor out = forward();
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return out;
  };
  const auto in = [&](const char* name) { return golden[std::string("input/") + name]; };
  if (kind == "dit_full") {
    const auto dit = loaded(made<NoiseNetwork>("dit", preset_config(family("dit").presets(), arch)), golden);
    return timed([&] { return dit->forward(in("x"), in("t"), in("y")); });
  }
  if (kind == "edm_full") {
    const auto edm = loaded(made<EdmDenoiser>("edm", preset_config(family("edm").presets(), arch)), golden);
    return timed([&] { return edm->denoise(in("x"), in("sigma"), in("y")); });
  }
  const auto vae = loaded(made<Autoencoder>("vae", preset_config(family("vae").presets(), arch)), golden);
  return timed([&] { return vae->decode(in("z")); });
}

std::vector<std::filesystem::path> full_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(testing::source_dir() / "tests/networks/data")) {
    const std::string name = entry.path().filename().string();
    for (const char* start : {"full_dit", "full_edm", "full_sd_vae"}) {
      if (name.rfind(start, 0) == 0) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

class FullSize : public ::testing::TestWithParam<std::filesystem::path> {};
INSTANTIATE_TEST_SUITE_P(Published, FullSize, ::testing::ValuesIn(full_files()), testing::golden_name);

TEST_P(FullSize, GivesWhatTheOriginalGives) {
  const at::NoGradGuard no_grad;
  const Golden golden(GetParam());
  double seconds = 0;
  const Tensor out = output_of(golden, seconds).to(at::kDouble);
  const int64_t stride = std::stoll(golden.metadata("stride"));
  const Tensor kept = out.slice(2, 0, c10::nullopt, stride).slice(3, 0, c10::nullopt, stride);
  const Tensor& expected = golden["output64/out"];
  const auto measured = nlohmann::json::parse(golden.metadata("tolerance")).at("out");
  const double largest = measured.at("max_abs_value");
  const double tolerance = 10 * measured.at("measured_max_abs").get<double>();
  ASSERT_EQ(kept.sizes(), expected.sizes());
  const double error = (kept - expected).abs().max().item<double>();
  EXPECT_LE(error, tolerance) << "of " << largest;
  // The pixels that the file leaves out.
  const Tensor moments = at::stack({out.mean(), out.square().mean()});
  EXPECT_TENSOR_NEAR(moments, golden["output64/moments"], (Tolerance{tolerance, tolerance / largest}));
  RecordProperty("relative_error", c10::str(error / largest));
  RecordProperty("seconds", c10::str(seconds));
}

}  // namespace
}  // namespace sextant::networks
