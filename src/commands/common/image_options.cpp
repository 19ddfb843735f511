#include "common/image_options.h"

#include "sextant/data/images.h"

namespace sextant::commands {

std::vector<Option> image_options(int64_t* size, int64_t* crop, bool* skip_bad, data::Cifar100Labels* cifar100) {
  return {
      {"--image-size", size, data::ReadOptions::kSize,
       "Scale each image so that its shorter side has so many pixels, then cut the middle out; 0 leaves images", ""},
      {"--image-crop", crop, data::ReadOptions::kSize,
       "Side of the middle that is cut out, such as 224 of --image-size 256; 0 is that of --image-size", ""},
      {"--skip-bad", skip_bad, Anything{}, "Leave out images that cannot be read, and count them", ""},
      choice("--cifar100-labels", cifar100,
             {{"fine", data::Cifar100Labels::kFine}, {"coarse", data::Cifar100Labels::kCoarse}},
             "Which labels of CIFAR-100: its 100 classes or its 20 superclasses"),
  };
}

}  // namespace sextant::commands
