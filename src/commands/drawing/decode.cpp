#include "drawing/decode.h"

#include <c10/util/StringUtil.h>

#include <algorithm>

#include "sextant/runtime/error.h"

namespace sextant::commands {

Tensor decoded(const std::function<Tensor(const Tensor& z)>& decode, const std::vector<int64_t>& image_shape,
               const Tensor& z, const std::vector<int64_t>& samples) {
  constexpr int64_t kPixels = int64_t{1} << 21;
  const int64_t at_once = std::max<int64_t>(1, kPixels / (image_shape[1] * image_shape[2]));
  std::vector<Tensor> parts;
  for (const Tensor& part : z.split(at_once)) parts.push_back(decode(part));
  Tensor images = parts.size() == 1 ? parts.front() : at::cat(parts);

  const Tensor finite = at::isfinite(images.flatten(1).sum(1, false, at::kDouble)).to(at::kCPU);
  const bool* ok = finite.data_ptr<bool>();
  const auto bad = static_cast<std::size_t>(std::find(ok, ok + finite.numel(), false) - ok);
  if (bad < samples.size()) {
    throw NumericError(c10::str("image ", samples[bad],
                                ": the decoder made NaN or infinity of a finite sample; give it a wider range, "
                                "--vae-precision fp32 or bf16"));
  }
  return images;
}

}  // namespace sextant::commands
