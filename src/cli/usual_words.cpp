#include "usual_words.h"

#include "internal/models/registry.h"

namespace sextant::cli {
namespace {

/// The named architectures of networks that `fits` holds for.
template <class Fits>
std::vector<std::string> architectures_that(const Fits& fits) {
  std::vector<std::string> names;
  for (const models::Architecture& one : models::architectures()) {
    if (fits(one.role)) names.push_back(one.preset.name);
  }
  return names;
}

}  // namespace

std::vector<std::string> usual_words(const std::string& flag, const Command& command) {
  using networks::Role;
  const auto draws = [](Role role) { return role == Role::kNoise || role == Role::kSigma; };
  const auto classifies = [](Role role) { return role == Role::kClassifier || role == Role::kClip; };
  if (flag == "--device") return {"auto", "cpu", "cuda"};
  if (flag == "--vae-arch") return architectures_that([](Role role) { return role == Role::kAutoencoder; });
  if (flag == "--features-arch") return architectures_that([](Role role) { return role == Role::kFeatures; });
  if (flag == "--autoguidance-arch") return architectures_that(draws);
  if (flag == "--classifier-arch" || (flag == "--arch" && command.name == "finetune")) {
    std::vector<std::string> names = architectures_that(classifies);
    names.emplace_back("torchscript");
    return names;
  }
  if (flag == "--arch" && command.name == "train") {
    return architectures_that([&](Role role) { return draws(role) || role == Role::kClassifier; });
  }
  return flag == "--arch" ? architectures_that(draws) : std::vector<std::string>();
}

}  // namespace sextant::cli
