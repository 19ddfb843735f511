#include <algorithm>
#include <new>

#include "formats.h"
#include "pickle/legacy.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"
#include "zip.h"

namespace sextant::checkpoint {
namespace {

/// The contents decide; the name only where they do not.
Checkpoint read_any(const std::shared_ptr<const MappedFile>& file, const std::filesystem::path& path) {
  const Bytes bytes = file->bytes();
  const std::string_view text = as_text(bytes);
  if (bytes.empty()) throw Malformed("is empty");
  if (text.substr(0, 24) == "version https://git-lfs.") {
    throw Malformed("is a Git LFS pointer, not the file itself; run 'git lfs pull'");
  }
  if (is_zip(bytes)) return read_pytorch_zip(file);
  if (is_legacy(bytes)) return read_pytorch_legacy(file);
  if (path.extension() == ".safetensors" || (bytes.size() > 8 && bytes[8] == '{')) return read_safetensors(file);
  // Protocols 2 and newer announce themselves; older ones start with a global, a mark or a container.
  if (bytes[0] == 0x80 || path.extension() == ".pkl") return read_plain_pickle(file);
  if (const auto first = text.find_first_not_of(" \t\r\n"); first != text.npos && text[first] == '<') {
    throw Malformed("is an HTML or XML page, not a checkpoint; download it again");
  }
  throw Malformed("is no known checkpoint format; expected safetensors, a PyTorch file or a pickle");
}

/// The tensors whose names start with `prefix`, without it.
StateDict below(const StateDict& tensors, const std::string& prefix) {
  StateDict result;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) result.set(name.substr(prefix.size()), tensor);
  }
  return result;
}

}  // namespace

const std::vector<std::pair<std::string, Format>>& format_words() {
  static const std::vector<std::pair<std::string, Format>> kWords = {{"safetensors", Format::kSafetensors},
                                                                     {"pytorch-zip", Format::kPyTorchZip},
                                                                     {"torchscript", Format::kTorchScript},
                                                                     {"pytorch-legacy", Format::kPyTorchLegacy},
                                                                     {"pickle", Format::kPickle}};
  return kWords;
}

Checkpoint load(const std::filesystem::path& path) {
  const auto fail = [&](const std::string& reason) { return CheckpointError(path.string() + ": " + reason); };
  try {
    Checkpoint checkpoint = read_any(MappedFile::open(path), path);
    checkpoint.source = path;
    return checkpoint;
  } catch (const Malformed& problem) {
    throw fail(problem.what());
  } catch (const std::bad_alloc&) {
    throw fail("needs more memory than there is");
  } catch (const c10::Error& problem) {
    throw fail("libtorch refuses a tensor of it: " + shown(problem.what_without_backtrace()));
  }
}

StateDict Checkpoint::weights() const {
  StateDict weights = tensors;
  for (const char* wrapper : {"ema", "ema_model", "model_ema", "state_dict_ema", "ema_state_dict", "state_dict",
                              "model_state_dict", "model"}) {
    if (std::find(groups.begin(), groups.end(), wrapper) == groups.end()) continue;
    if (StateDict inside = below(tensors, std::string(wrapper) + "."); !inside.empty()) {
      weights = std::move(inside);
      break;
    }
  }
  // torch.compile and DataParallel, one around the other in any order.
  const auto carried = [&](const char* prefix) {
    return !weights.empty() && std::all_of(weights.begin(), weights.end(),
                                           [&](const auto& item) { return item.first.starts_with(prefix); });
  };
  for (bool again = true; again;) {
    again = false;
    for (const char* prefix : {"module.", "_orig_mod."}) {
      if (!carried(prefix)) continue;
      weights = below(weights, prefix);
      again = true;
    }
  }
  return weights;
}

}  // namespace sextant::checkpoint
