#include "fuzz/targets.h"

namespace sextant::fuzz {

const std::vector<Target>& files_targets() {
  // Formats that one reader tells apart have a target each, so that each has inputs and time of its own.
  static const std::vector<Target> kTargets = {{"safetensors", "model.safetensors", kMiddle, checkpoint},
                                               {"zip", "archive.zip", kMiddle, zip},
                                               {"pt", "model.pt", kMiddle, checkpoint},
                                               {"legacy", "model.pth", kMiddle, checkpoint},
                                               {"pickle", "model.pkl", kMiddle, checkpoint},
                                               {"pickled-arrays", "batch", kMiddle, pickled_arrays},
                                               {"npz", "samples.npz", kMiddle, npz},
                                               {"npy", "array.npy", kSmall, npy},
                                               {"idx", "images-idx3-ubyte", kSmall, idx},
                                               {"cifar", "data_batch_1", kMiddle, cifar},
                                               {"tar", "cifar-10-binary.tar.gz", kMiddle, tar},
                                               {"png", "image.png", kSmall, image},
                                               {"jpeg", "image.jpg", kSmall, image},
                                               {"webp", "image.webp", kSmall, image},
                                               {"bmp", "image.bmp", kSmall, image},
                                               {"vocabulary", "vocabulary.txt", kSmall, vocabulary},
                                               {"ledger", "ledger.sqlite", kMiddle, ledger}};
  return kTargets;
}

}  // namespace sextant::fuzz
