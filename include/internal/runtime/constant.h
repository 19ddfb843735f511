// Numbers that go with every tensor of a run, wherever it lies.
#pragma once

#include <memory>

#include "sextant/runtime/tensor.h"

namespace sextant {

/// A constant tensor with a copy for each device and dtype that asks: the first time it is copied, which on a GPU
/// waits, and after that it is there. Copies of it share them; callable from any thread.
class Constant {
 public:
  Constant() = default;
  explicit Constant(Tensor value);

  bool defined() const { return static_cast<bool>(copies_); }
  const Tensor& value() const;
  /// The value with the device and dtype of x.
  Tensor like(const Tensor& x) const;

 private:
  struct Copies;
  std::shared_ptr<Copies> copies_;
};

}  // namespace sextant
