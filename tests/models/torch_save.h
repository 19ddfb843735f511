// Files as torch.save writes them, of trees of tensors: dictionaries, lists, objects of unknown classes.
#pragma once

#include <ATen/ATen.h>

#include <fstream>

#include "checkpoint/assemble.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::testing {

enum class Container { kZip, kLegacy, kSafetensors };

class TorchSave {
 public:
  explicit TorchSave(Container container = Container::kZip) : container_(container) {}

  /// A float32 tensor of any shape with a storage of its own.
  std::string tensor(const at::Tensor& values) {
    const at::Tensor x = values.contiguous().to(at::kFloat);
    const std::string key = std::to_string(storages_.size());
    storages_.emplace_back(static_cast<const char*>(x.data_ptr()), x.nbytes());
    std::vector<std::string> sizes, strides;
    for (int64_t d = 0; d < x.dim(); ++d) {
      sizes.push_back(number(x.size(d)));
      strides.push_back(number(x.stride(d)));
    }
    std::vector<std::string> id = {text("storage"), global("torch", "FloatStorage"), text(key), text("cpu"),
                                   number(x.numel())};
    if (container_ == Container::kLegacy) id.emplace_back("N");
    return global("torch._utils", "_rebuild_tensor_v2") +
           tuple({tuple(id) + "Q", number(0), tuple(sizes), tuple(strides), "\x89",
                  global("collections", "OrderedDict") + ")R"}) +
           "R";
  }
  std::string dict_of(const checkpoint::StateDict& tensors, const std::string& prefix = "") {
    std::vector<std::pair<std::string, std::string>> items;
    for (const auto& [name, values] : tensors) items.emplace_back(prefix + name, tensor(values));
    return dict(items);
  }
  std::string list_of(const checkpoint::StateDict& tensors) {
    std::string all = "](";
    for (const auto& [name, values] : tensors) all += tensor(values);
    return all + "e";
  }
  static std::string object(const std::string& module, const std::string& name) { return global(module, name) + ")R"; }

  /// Writes `body` with the tensors that were made by this object.
  void write(const std::filesystem::path& path, const std::string& body) const {
    std::ofstream file(path, std::ios::binary);
    if (container_ == Container::kZip) {
      file << archive(body, storages_);
      return;
    }
    // Magic number, protocol, system; the object; the keys of the storages; their numbers.
    file << pickle(std::string("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 12)) << pickle(number(1001))
         << pickle(dict({{"little_endian", "\x88"}})) << pickle(body);
    std::string keys = "](";
    for (std::size_t i = 0; i < storages_.size(); ++i) keys += text(std::to_string(i));
    file << pickle(keys + "e");
    for (const std::string& bytes : storages_) file << little_endian(bytes.size() / sizeof(float), 8) << bytes;
  }

 private:
  Container container_;
  std::vector<std::string> storages_;
};

/// Names with `prefix` before them.
inline checkpoint::StateDict prefixed(const std::string& prefix, const checkpoint::StateDict& tensors) {
  checkpoint::StateDict result;
  for (const auto& [name, values] : tensors) result.set(prefix + name, values);
  return result;
}

/// All tensors of both.
inline checkpoint::StateDict together(const checkpoint::StateDict& a, const checkpoint::StateDict& b) {
  checkpoint::StateDict result = a;
  for (const auto& [name, values] : b) result.set(name, values);
  return result;
}

}  // namespace sextant::testing
