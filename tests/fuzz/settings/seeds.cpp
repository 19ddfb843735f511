#include "fuzz/libfuzzer/seeds.h"

#include "internal/models/registry.h"

namespace sextant::fuzz {

namespace fs = std::filesystem;

namespace {

/// The published architectures, and a mixture.
void write_configs(const fs::path& folder) {
  for (const models::Architecture& architecture : models::architectures()) {
    put_seed(folder / architecture.preset.name, architecture.preset.config.dump());
  }
  put_seed(folder / "mixture",
           R"({"type": "mixture", "model": {"means": [[0, 1], [1, 0]], "covariances": [[[1, 0], [0, 1]],
    [[2, 1], [1, 2]]], "weights": [0.5, 0.5]}, "diffusion": {"noise_schedule": "cosine", "steps": 10}})");
}

}  // namespace

void write_settings_seeds(const fs::path& folder) {
  write_configs(folder / "config-json");
  put_seed(folder / "run-json/done", R"({"command": "sample", "complete": true, "finished": 2, "gradient_norm": 0.5,
    "timings": {"seconds_per_image": 1, "denoiser_share": 0.5, "classifier_share": 0.5}, "images": 2,
    "trace": [{"step": 0, "gradient_norm": 1, "probability": 0.5, "entropy": null}]})");
  put_seed(folder / "run-json/sweep",
           R"({"command": "sweep", "config": {"sweep": {"title": "t"}}, "results": [{"row": "a",
    "column": "", "seeds": [0, 1], "images": 10, "seconds_per_image": 0.1, "baseline": true, "metrics": {"fid":
    {"mean": 5, "deviation": 1, "best": true, "paper": 5.28, "difference": {"value": 1, "low": 0, "high": 2}}}}],
    "failures": [{"cell": "b", "why": "c"}]})");
  put_seed(folder / "prompts/accents",
           "A photo of a caf\xc3\xa9 &amp; 12 \xe2\x80\x9cothers\xe2\x80\x9d;na\xc3\x83\xc2\xafve <|endoftext|>");
  put_seed(folder / "attributes/two", "smiling, male,blond hair\n1,0,\n,1,0\n");
}

}  // namespace sextant::fuzz
