// The readers behind load(), one per container. All throw Malformed.
#pragma once

#include <memory>

#include "internal/checkpoint/file.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::checkpoint {

/// Hugging Face's container: header length, JSON header, data without holes.
Checkpoint read_safetensors(const std::shared_ptr<const MappedFile>& file);

/// torch.save since 1.6, and torch.jit.save: a zip archive with data.pkl and one member per storage.
Checkpoint read_pytorch_zip(const std::shared_ptr<const MappedFile>& file);

/// torch.save before 1.6: five pickles, then the storages.
Checkpoint read_pytorch_legacy(const std::shared_ptr<const MappedFile>& file);

/// pickle.dump of objects whose tensors carry their own bytes, as EDM and StyleGAN publish networks.
Checkpoint read_plain_pickle(const std::shared_ptr<const MappedFile>& file);

}  // namespace sextant::checkpoint
