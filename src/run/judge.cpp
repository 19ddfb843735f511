#include "run/judge.h"

#include "sextant/checkpoint.h"
#include "sextant/error.h"
#include "sextant/models.h"

namespace sextant::run {
namespace {

metrics::Gaussian read_reference(const std::string& path) {
  const NpzReader file(path);
  for (const char* name : {"mu", "sigma"}) {
    if (!file.contains(name)) throw DataError(path + " is no reference: it has no array '" + name + "'");
  }
  return {file.read("mu").to(at::kDouble), file.read("sigma").to(at::kDouble), 0};
}

}  // namespace

Judge::Judge(const std::string& network, const std::string& arch, const std::string& reference, at::Device device)
    : network_(models::open_features(network, arch, {device, at::kFloat})), device_(device) {
  if (!reference.empty()) reference_ = read_reference(reference);
}

Verdict Judge::judge(const std::filesystem::path& samples) const {
  constexpr int64_t kBatch = 64;
  const at::NoGradGuard no_grad;
  const NpzReader file(samples);
  const Tensor images = file.read("arr_0");
  const Tensor labels = file.read("arr_1");
  if (images.size(3) != network_->channels()) {
    throw UsageError(c10::str("the judge reads images of ", network_->channels(), " channels, ", samples.string(),
                              " has ", images.size(3)));
  }
  std::vector<Tensor> features;
  int64_t correct = 0;
  for (int64_t first = 0; first < images.size(0); first += kBatch) {
    const int64_t n = std::min(kBatch, images.size(0) - first);
    const auto seen = network_->forward(images.narrow(0, first, n).permute({0, 3, 1, 2}).contiguous().to(device_));
    const Tensor read = seen.at("logits").argmax(1).cpu();
    correct += (read == labels.narrow(0, first, n)).sum().item<int64_t>();
    features.push_back(seen.at("pool").cpu());
  }
  Verdict verdict;
  verdict.count = images.size(0);
  verdict.accuracy = static_cast<double>(correct) / static_cast<double>(std::max<int64_t>(1, verdict.count));
  if (reference_ && verdict.count > 1) {
    verdict.frechet = metrics::frechet_distance(metrics::gaussian_of(at::cat(features)), *reference_).value;
  }
  return verdict;
}

}  // namespace sextant::run
