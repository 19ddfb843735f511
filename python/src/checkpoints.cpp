// sextant._core.checkpoint: weights in files.
#include "bindings.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::python {

void bind_checkpoints(py::module_& core) {
  using py::arg;
  py::module_ m = core.def_submodule("checkpoint");
  m.def(
      "load",
      [](const std::filesystem::path& path) {
        const checkpoint::StateDict weights = checkpoint::load(path).weights();
        return std::map<std::string, Tensor>(weights.begin(), weights.end());
      },
      doc("checkpoint.Checkpoint.weights"), arg("path"), Unlocked());
  m.def(
      "save_safetensors",
      [](const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors) {
        checkpoint::StateDict weights;
        for (const auto& [name, tensor] : tensors) weights.set(name, tensor);
        // What diffusers asks of a file.
        checkpoint::save_safetensors(path, weights, {{"format", "pt"}});
      },
      doc("checkpoint.save_safetensors"), arg("path"), arg("tensors"), Unlocked());
}

}  // namespace sextant::python
