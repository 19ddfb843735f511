// What a training leaves behind besides its checkpoints: the model folder, curves, sample grids.
#pragma once

#include <filesystem>

#include "train/setup.h"

namespace sextant::commands {

/// config.json and model.safetensors.
void write_model(const std::filesystem::path& folder, const TrainSetup& setup, const training::TrainerResult& result,
                 const std::string& how);

/// loss.svg, learning-rate.svg and gradient-norm.svg from metrics.jsonl.
void write_curves(const std::filesystem::path& folder);

/// Writes samples/step-N.png of a diffusion model: 25 DDIM steps, the same noise each time, every class in turn.
training::SampleHook sample_hook(const std::filesystem::path& folder, const TrainSetup& setup);

}  // namespace sextant::commands
