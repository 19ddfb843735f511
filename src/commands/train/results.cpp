#include "train/results.h"

#include <ATen/core/grad_mode.h>

#include "internal/runtime/files.h"
#include "internal/runtime/json_file.h"
#include "internal/runtime/text.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/diffusion/process.h"
#include "sextant/models/denoiser.h"
#include "sextant/report/drawing.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/noise.h"
#include "sextant/samplers/samplers.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

report::Curve curve(const std::string& name, bool marks = false) {
  report::Curve curve;
  curve.name = name;
  curve.marks = marks;
  return curve;
}

void add(report::Curve& curve, const json& line, const json& value) {
  if (!value.is_number()) return;
  curve.x.push_back(line.at("step").get<double>());
  curve.y.push_back(value.get<double>());
}

void write(const fs::path& path, const std::string& title, std::vector<report::Curve> curves, bool log_y) {
  std::erase_if(curves, [](const report::Curve& curve) { return curve.x.empty(); });
  if (curves.empty()) return;
  report::Chart chart;
  chart.title = title;
  chart.x_label = "step";
  chart.curves = std::move(curves);
  chart.log_y = log_y;
  report::write_drawing(path, report::draw(chart));
}

/// Draws with a network of its own, which is frozen and gets the weights of the moment.
class Sampling {
 public:
  Sampling(fs::path folder, const TrainSetup& setup) : folder_(std::move(folder)), device_(setup.network->device()) {
    network_ = std::dynamic_pointer_cast<networks::NoiseNetwork>(std::shared_ptr(models::build(setup.model)));
    diffusion::ProcessConfig config = models::process_config(setup.model.value("diffusion", json::object()));
    config.respacing = std::to_string(std::min<int64_t>(kSteps, config.steps));
    process_ = std::make_unique<diffusion::Process>(config);
    const int64_t null_label = setup.model.value("null_label", int64_t{-1});
    classes_ = network_->num_classes() - (null_label >= 0 ? 1 : 0);
  }

  void operator()(int64_t step, const checkpoint::StateDict& weights) {
    const at::NoGradGuard no_grad;
    network_->load(weights, "the averaged weights");
    network_->to(device_, at::kFloat);
    network_->freeze();
    std::vector<int64_t> numbers, classes;
    for (int64_t i = 0; i < kImages; ++i) {
      numbers.push_back(i);
      classes.push_back(classes_ > 0 ? i % classes_ : 0);
    }
    const diffusion::Model model = [this](const Tensor& x, const Tensor& t, const Tensor& y) {
      return network_->forward(x, t, network_->num_classes() > 0 ? y : Tensor());
    };
    const diffusion::Denoiser denoiser(model, *process_, network_->image_shape());
    Noise noise(0, numbers, network_->image_shape(), device_);
    const Tensor y = at::tensor(classes, at::kLong).to(device_);
    const Tensor x = samplers::sample_ddim({denoiser, nullptr, y, y, noise}, {});
    fs::create_directories(folder_);
    const Tensor pictures = diffusion::to_uint8(x).permute({0, 2, 3, 1}).contiguous().to(at::kCPU);
    report::GridStyle style;
    style.columns = kColumns;
    style.scale = std::max<int64_t>(1, 56 / pictures.size(1));
    if (pictures.size(3) != 1 && pictures.size(3) != 3) return;
    std::string number = std::to_string(step);
    number.insert(0, number.size() < 7 ? 7 - number.size() : 0, '0');
    report::write_png(folder_ / ("step-" + number + ".png"), report::grid(pictures, style));
  }

 private:
  static constexpr int64_t kSteps = 25, kImages = 40, kColumns = 10;
  fs::path folder_;
  at::Device device_;
  std::shared_ptr<networks::NoiseNetwork> network_;
  std::unique_ptr<diffusion::Process> process_;
  int64_t classes_ = 0;
};

}  // namespace

void write_model(const fs::path& folder, const TrainSetup& setup, const training::TrainerResult& result,
                 const std::string& how) {
  json model = setup.model;
  model["training"] = how;
  checkpoint::save_safetensors(folder / "model.safetensors", result.weights);
  write_atomically(folder / "config.json", json_text(model) + "\n");
}

void write_curves(const fs::path& folder) {
  const fs::path metrics = folder / "metrics.jsonl";
  if (!report::can_draw() || !fs::exists(metrics)) return;
  report::Curve loss = curve("training loss"), validation = curve("validation loss", true);
  report::Curve rate = curve(""), norm = curve("");
  for (const std::string& text : split(read_file(metrics), '\n')) {
    const json line = json::parse(text, nullptr, false);
    if (!line.is_object() || !line.contains("step") || !line["step"].is_number()) continue;
    add(loss, line, line.value("loss", json()));
    add(validation, line, line.value("/validation/loss"_json_pointer, json()));
    add(rate, line, line.value("learning_rate", json()));
    add(norm, line, line.value("gradient_norm", json()));
  }
  write(folder / "loss.svg", "Loss", {loss, validation}, true);
  write(folder / "learning-rate.svg", "Learning rate", {rate}, false);
  write(folder / "gradient-norm.svg", "Norm of the gradient", {norm}, true);
}

training::SampleHook sample_hook(const fs::path& folder, const TrainSetup& setup) {
  if (setup.trainer.sample_every == 0) return {};
  return [sampling = std::make_shared<Sampling>(folder / "samples", setup)](
             int64_t step, const checkpoint::StateDict& weights) { (*sampling)(step, weights); };
}

}  // namespace sextant::commands
