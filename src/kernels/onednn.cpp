#include "onednn.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

namespace sextant::kernels {

struct PackedConvolution::Context {
  c10::IValue value;
};

namespace {

using Stack = std::vector<c10::IValue>;

}  // namespace

PackedConvolution pack(const Tensor& weight, const Tensor& bias, int64_t stride, int64_t padding,
                       std::vector<int64_t> input_size) {
  PackedConvolution packed;
  static const auto prepack = c10::Dispatcher::singleton().findSchema({"mkldnn_prepacked::conv2d_prepack", ""});
  if (!prepack) return packed;
  const auto pair = [](int64_t value) { return c10::List<int64_t>({value, value}); };
  Stack stack{weight.contiguous(at::MemoryFormat::ChannelsLast),
              bias.defined() ? c10::IValue(bias) : c10::IValue(),
              pair(stride),
              pair(padding),
              pair(1),
              int64_t{1},
              c10::List<int64_t>(input_size),
              std::string("none")};
  try {
    prepack->callBoxed(&stack);
  } catch (const std::exception&) {
    return packed;  // shapes or a processor that oneDNN has no such convolution for
  }
  packed.context_ = std::make_shared<const PackedConvolution::Context>(PackedConvolution::Context{stack.at(0)});
  return packed;
}

Tensor PackedConvolution::operator()(const Tensor& x) const {
  static const auto run = c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn_prepacked::conv2d_run", "");
  Stack stack{x, context_->value};
  run.callBoxed(&stack);
  return stack.at(0).toTensor();
}

}  // namespace sextant::kernels
