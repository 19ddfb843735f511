// Any network, as the program that torch.jit.save wrote, run by libtorch's interpreter.
#include "torchscript/script.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/passes/remove_mutation.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::networks::torchscript {

namespace jit = torch::jit;

namespace {

/// The first line of a libtorch error that says something.
std::string first_line(const std::exception& error) {
  const auto* known = dynamic_cast<const c10::Error*>(&error);
  const std::string text = known ? known->what_without_backtrace() : error.what();
  // The interpreter's own errors end with the message; before it stands the program's stack.
  const std::string marker = "RuntimeError: ";
  const std::size_t at = text.rfind(marker);
  const std::string tail = at == std::string::npos ? text : text.substr(at + marker.size());
  return tail.substr(0, tail.find('\n'));
}

/// softplus(x) in place of relu(x), which ends there. Later users of a tensor that relu_ changed see the new one.
void replace(jit::Node* relu, double beta) {
  constexpr double kThreshold = 20;  // PyTorch's: beyond it softplus is the identity in float32
  jit::Graph& graph = *relu->owningGraph();
  const jit::WithInsertPoint here(relu);
  const bool in_place = relu->kind() == c10::Symbol::fromQualString("aten::relu_");
  jit::Value* const x = relu->input(0);
  jit::Value* const y = graph.insert(c10::Symbol::fromQualString("aten::softplus"), {x, beta, kThreshold});
  relu->output()->replaceAllUsesWith(y);
  if (in_place) x->replaceAllUsesAfterNodeWith(relu, y);
  relu->destroy();
}

/// Replaces every ReLU of a block and of the blocks in it; returns how many there were.
int64_t smooth(jit::Block* block, double beta) {
  int64_t count = 0;
  for (auto node = block->nodes().begin(); node != block->nodes().end();) {
    jit::Node* const current = *node;
    ++node;  // before the node may be destroyed
    for (jit::Block* inner : current->blocks()) count += smooth(inner, beta);
    const std::string kind = current->kind().toQualString();
    if (kind != "aten::relu" && kind != "aten::relu_") continue;
    replace(current, beta);
    ++count;
  }
  return count;
}

/// Floating-point tensors rounded to `precision`, in the dtype that is computed in; counters stay integers.
void convert(jit::Module& module, at::ScalarType precision, at::Device device) {
  const at::ScalarType computed = arithmetic_type(precision, device);
  const auto in_place = [&](at::Tensor tensor) {
    if (tensor.is_floating_point()) tensor.set_data(tensor.to(precision).to(computed));
  };
  for (const at::Tensor& tensor : module.parameters()) in_place(tensor);
  for (const at::Tensor& tensor : module.buffers()) in_place(tensor);
}

}  // namespace

struct Script::Program {
  jit::Module module;
};

Script::Script(const std::filesystem::path& file, at::Device device, at::ScalarType precision, double softplus_beta)
    : file_(file), program_(std::make_unique<Program>()) {
  if (!std::filesystem::is_regular_file(file)) throw CheckpointError(file.string() + ": no such file");
  try {
    jit::Module module = jit::load(file.string(), device);
    module.eval();
    for (const auto& item : module.named_parameters()) weights_.emplace_back(item.name, item.value.detach().clone());
    for (const auto& item : module.named_buffers()) weights_.emplace_back(item.name, item.value.detach().clone());
    if (precision != at::kFloat) convert(module, precision, device);
    for (at::Tensor weight : module.parameters()) weight.set_requires_grad(false);
    program_->module = jit::freeze_module(module);
  } catch (const std::exception& error) {
    throw CheckpointError(file.string() + ": cannot be opened as TorchScript: " + first_line(error));
  }
  if (softplus_beta <= 0) return;
  const std::shared_ptr<jit::Graph> graph = program_->module.get_method("forward").graph();
  jit::RemoveTensorMutation(graph);  // relu_ to relu, where nothing else sees the tensor
  if (smooth(graph->block(), softplus_beta) == 0) {
    throw UsageError(file.string() + ": the program has no ReLU to smooth; leave softplus-beta at 0");
  }
}

Script::~Script() = default;

Tensor Script::operator()(const std::vector<Tensor>& arguments) const {
  try {
    // As written: the profiling executor would recompile the graph in its first runs, and round otherwise after them.
    const jit::GraphOptimizerEnabledGuard as_written(false);
    const std::vector<c10::IValue> inputs(arguments.begin(), arguments.end());
    c10::IValue result = jit::Module(program_->module).forward(inputs);
    if (result.isTuple() && !result.toTupleRef().elements().empty()) result = result.toTupleRef().elements()[0];
    if (result.isTensor()) return result.toTensor();
  } catch (const std::exception& error) {
    throw Error(file_.string() + ": the TorchScript program failed: " + first_line(error));
  }
  throw Error(file_.string() + ": the TorchScript program gives no tensor");
}

}  // namespace sextant::networks::torchscript
