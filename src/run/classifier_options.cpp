#include "run/classifier_options.h"

namespace sextant::run {

OptionGroup classifier_options(SampleConfig& c) {
  return {
      "classifier",
      "Classifier",
      {
          {"--classifier", &c.classifier, Anything{}, "Folder with config.json and weights, or a checkpoint file",
           "PATH"},
          {"--classifier-arch", &c.classifier_arch, Anything{}, "Architecture of a checkpoint file", "NAME"},
          {"--classifier-input", &c.classifier_input, OneOf{{"config", "raw", "half", "imagenet"}},
           "What it sees of pixels in [-1, 1]: as its config says, the same, [0, 1], or ImageNet's mean and deviation",
           ""},
          {"--classifier-size", &c.classifier_size, Range{0, 4096},
           "Images are resized to this many pixels square for it; 0 leaves them", ""},
          {"--softplus-beta", &c.softplus_beta, Range{0, 1000},
           "Every ReLU becomes softplus(beta x)/beta; 0 keeps ReLU (EluCD: 3)", "BETA"},
      }};
}

}  // namespace sextant::run
