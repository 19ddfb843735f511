// Fails unless an .npz holds two images that differ, neither of one grey, and the labels they were asked to be:
// check OUT.npz SIDE
#include <sextant/checkpoint/checkpoint.h>

#include <iostream>
#include <string>
using namespace sextant;

int main(int, char** argument) {
  const auto arrays = checkpoint::load_npz(argument[1]);
  const Tensor images = arrays.at("arr_0");
  const int64_t side = std::stoll(argument[2]);
  const auto fail = [&](const char* what) {
    std::cerr << argument[1] << ": " << what << '\n';
    return 1;
  };
  if (images.scalar_type() != at::kByte) return fail("the images are not bytes");
  if (images.sizes() != at::IntArrayRef{2, side, side, images.size(-1)}) return fail("the images have another shape");
  for (const Tensor& image : images.unbind()) {
    if (image.min().equal(image.max())) return fail("an image is of one grey");
  }
  if (images[0].equal(images[1])) return fail("the images are the same");
  if (!arrays.at("arr_1").equal(at::tensor({3, 1}, at::kLong))) return fail("the labels are not those asked for");
  return 0;
}
