// Gives every folder that has a config.json weights to go with it, drawn at random: fill FOLDER...
#include <sextant/checkpoint/checkpoint.h>
#include <sextant/models/models.h>

#include <filesystem>
#include <fstream>
using namespace sextant;
using Kind = networks::Parameters::Kind;

int main(int count, char** path) {
  at::manual_seed(1);
  for (int i = 1; i < count; ++i) {
    const std::filesystem::path folder = path[i];
    const auto network = models::build(nlohmann::json::parse(std::ifstream(folder / "config.json")));
    checkpoint::StateDict weights;
    for (const auto& entry : network->parameters().entries()) {
      if (entry.kind == Kind::kConstant || entry.kind == Kind::kCounter) continue;
      const bool matrix = entry.shape.size() > 1;
      const bool zero = entry.name.ends_with("bias") || entry.name.ends_with("running_mean");
      weights.set(entry.name, matrix ? 0.1 * at::randn(entry.shape) : at::full(entry.shape, zero ? 0.0 : 1.0));
    }
    checkpoint::save_safetensors(folder / "model.safetensors", weights);
  }
}
