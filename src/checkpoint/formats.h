// The readers behind load_checkpoint, one per container.
#pragma once

#include <memory>

#include "checkpoint/file.h"
#include "sextant/checkpoint.h"

namespace sextant::checkpoint {

/// Huggingface's container: header length, JSON header, data without holes.
Checkpoint read_safetensors(const std::shared_ptr<const MappedFile>& file);

}  // namespace sextant::checkpoint
