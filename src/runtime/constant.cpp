#include "internal/runtime/constant.h"

#include <mutex>
#include <vector>

namespace sextant {

struct Constant::Copies {
  Tensor value;
  std::mutex mutex;
  std::vector<Tensor> made;
};

Constant::Constant(Tensor value) : copies_(std::make_shared<Copies>()) { copies_->value = std::move(value); }

const Tensor& Constant::value() const { return copies_->value; }

Tensor Constant::like(const Tensor& x) const {
  const std::lock_guard lock(copies_->mutex);
  for (const Tensor& copy : copies_->made) {
    if (copy.device() == x.device() && copy.scalar_type() == x.scalar_type()) return copy;
  }
  return copies_->made.emplace_back(copies_->value.to(x.options()));
}

}  // namespace sextant
