#include "cuda/launch.h"
#include "cuda/sum.h"

namespace sextant::kernels::cuda {
namespace {

bool fills(Number number, int64_t count, std::initializer_list<const void*> pointers) {
  bool wide = count % width_of(number) == 0;
  for (const void* pointer : pointers) wide = wide && reinterpret_cast<uintptr_t>(pointer) % 16 == 0;
  return wide;
}

}  // namespace

int add(Number number, void* x, const void* bias, const void* residual, int64_t count, int64_t channels, Act act,
        float beta, void* stream) {
  const bool wide = fills(number, count, {x, bias, residual}) && (!bias || channels % width_of(number) == 0);
  return for_numbers(number, wide, [&](auto one, auto width) {
    using T = decltype(one);
    const Sum<T, width()> body = {
        static_cast<T*>(x), static_cast<const T*>(bias), static_cast<const T*>(residual), channels, act, beta};
    return answer(launch(count / width(), body, stream));
  });
}

int add_gradient(Number number, const void* dy, const void* y, void* dx, int64_t count, Act act, float beta,
                 void* stream) {
  return for_numbers(number, fills(number, count, {dy, y, dx}), [&](auto one, auto width) {
    using T = decltype(one);
    const SumGradient<T, width()> body = {static_cast<const T*>(dy), static_cast<const T*>(y), static_cast<T*>(dx), act,
                                          beta};
    return answer(launch(count / width(), body, stream));
  });
}

}  // namespace sextant::kernels::cuda
