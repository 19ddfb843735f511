#include "common/classifier_options.h"

#include "sextant/models/classifier.h"

namespace sextant::commands {

OptionGroup classifier_options(SampleConfig& c) {
  std::vector<std::string> resizes = {"config"};
  for (const std::string& name : classifiers::resize_names()) resizes.push_back(name);
  return {
      "classifier",
      "Classifier",
      {
          {"--classifier", &c.classifier.path, Several{},
           "Folder with config.json and weights, or a checkpoint file; of several the log-probabilities are averaged",
           "PATH"},
          {"--classifier-arch", &c.classifier.arch, Several{},
           "Architecture of a checkpoint file, one for all or one each; torchscript runs the program in the file",
           "NAME"},
          {"--classifier-input", &c.classifier.input, OneOf{models::input_convention_names()},
           "What it sees of pixels in [-1, 1]: as its config says, the same, [0, 1], or that by the mean and deviation "
           "of ImageNet or of CLIP's images",
           ""},
          {"--classifier-size", &c.classifier.size, Range{0, 4096},
           "Images are resized to this many pixels square for it; 0 leaves them", ""},
          {"--classifier-resize", &c.classifier.resize, OneOf{resizes},
           "Filter of the resizing, antialiased; config is bilinear, for CLIP bicubic", ""},
          {"--softplus-beta", &c.classifier.softplus_beta, Range{0, 1000},
           "Every ReLU becomes softplus(beta x)/beta; 0 keeps ReLU (EluCD: 3)", "BETA"},
          {"--prompts", &c.classifier.prompts, Several{';'},
           "Texts to draw, for a CLIP classifier: its classes 0, 1, ...; or a file with one a line", "TEXT"},
          {"--contrast", &c.classifier.contrast, Several{';'},
           "Texts that the images are not to be: further classes, which --labels cannot name; or a file", "TEXT"},
          {"--strict", &c.classifier.strict, Anything{}, "A prompt of more than CLIP's 77 tokens is an error, not cut",
           ""},
          {"--clip-vocab", &c.classifier.vocabulary, Anything{},
           "CLIP's bpe_simple_vocab_16e6.txt.gz; left out it is looked for in models/clip here and beside the program",
           "FILE"},
          {"--cutouts", &c.classifier.cutouts, Range{0, 1024},
           "Classify this many random square views of each image and average the logits; 0 is the image itself", ""},
          {"--cutout-min", &c.classifier.cutout_min, Range{0, 1, true},
           "Smallest side of a view, as a share of the image's", ""},
      }};
}

}  // namespace sextant::commands
