// One metric on the arrays of two .npz files: seconds of the median run, peak memory and the number itself.
//
//   metrics_bench frechet A.npz B.npz [threads] [runs]     arrays mu, sigma: the Frechet distance
//   metrics_bench manifold A.npz B.npz [threads] [runs]    array features: precision and recall, A the reference
//   metrics_bench kid A.npz B.npz [threads] [runs] [subsets]  array features: KID in subsets of 1000
//   metrics_bench statistics A.npz A.npz [threads] [runs]  array features: mean and covariance
#include <sys/resource.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "sextant/checkpoint/checkpoint.h"
#include "sextant/metrics/metrics.h"
#include "sextant/runtime/device.h"

namespace {

using namespace sextant;

metrics::Gaussian statistics(const checkpoint::NpzReader& file) { return {file.read("mu"), file.read("sigma")}; }

nlohmann::json result(const std::string& metric, const checkpoint::NpzReader& a, const checkpoint::NpzReader& b,
                      int64_t subsets) {
  if (metric == "frechet") return metrics::frechet_distance(statistics(a), statistics(b)).value;
  if (metric == "statistics") return metrics::gaussian_of(a.read("features")).covariance.trace().item<double>();
  if (metric == "manifold") {
    const auto pr = metrics::precision_recall(a.read("features"), b.read("features"));
    return {pr.precision, pr.recall};
  }
  if (metric == "kid") return metrics::kernel_distance(a.read("features"), b.read("features"), subsets).mean;
  throw std::runtime_error("metric must be frechet, manifold, kid or statistics, got " + metric);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) throw std::runtime_error("usage: metrics_bench METRIC A.npz B.npz [threads] [runs] [subsets]");
  keep_freed_memory();  // as the command line does
  set_threads(argc > 4 ? std::stoi(argv[4]) : 0);
  const int runs = argc > 5 ? std::stoi(argv[5]) : 1;
  const int64_t subsets = argc > 6 ? std::stoi(argv[6]) : 100;
  const checkpoint::NpzReader a(argv[2]);
  const checkpoint::NpzReader b(argv[3]);
  std::vector<double> seconds;
  nlohmann::json value;
  for (int run = 0; run < runs; ++run) {
    const auto start = std::chrono::steady_clock::now();
    value = result(argv[1], a, b, subsets);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::cout << nlohmann::json{{"seconds", seconds[seconds.size() / 2]},
                              {"value", value},
                              {"threads", threads()},
                              {"peak_mib", usage.ru_maxrss / 1024}}
            << std::endl;
  return 0;
} catch (const std::exception& error) {
  std::cerr << "metrics_bench: " << error.what() << std::endl;
  return 1;
}
