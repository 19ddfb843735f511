#include "internal/networks/family.h"
#include "internal/runtime/text.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"
#include "sextant/training/trainer.h"
#include "streams.h"

namespace sextant::training {
namespace {

networks::Family trainable(const std::string& type) {
  std::vector<std::string> known;
  for (const networks::Family& family : networks::families()) {
    if (!family.initialise) continue;
    if (family.type == type) return family;
    known.push_back(family.type);
  }
  throw UsageError("networks of type '" + type + "' cannot be started from new weights; " +
                   joined(known, ", ", " and ") + " can, others begin with trained ones, the setting init");
}

}  // namespace

void initialise(networks::Network& network, const std::string& family, uint64_t seed) {
  const networks::Family start = trainable(family);
  const networks::Parameters& all = network.parameters();
  checkpoint::StateDict weights;
  int64_t place = 0;
  for (const networks::Parameters::Entry& entry : all.entries()) {
    using Kind = networks::Parameters::Kind;
    if (entry.kind == Kind::kConstant || entry.kind == Kind::kCounter) continue;
    const Noise noise(stream(seed, Purpose::kInitial), {place++}, entry.shape);
    weights.set(entry.name, start.initialise(entry, all, noise).view(entry.shape));
  }
  network.load(weights, "new weights");
}

}  // namespace sextant::training
