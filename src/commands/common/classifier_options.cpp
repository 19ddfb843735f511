#include "common/classifier_options.h"

#include "common/opened_weights.h"
#include "common/prompts.h"
#include "common/run_options.h"

namespace sextant::commands {
namespace {

Option texts_option(const std::string& flag, std::vector<std::string>* texts, const std::string& help) {
  const auto word = [texts] { return joined_prompts(*texts); };
  const auto choose = [texts](const std::string& text) { *texts = split_prompts(text); };
  return {flag, Choice{word, choose}, Several{';'}, help, "TEXT"};
}

Words<std::optional<classifiers::Resize>> filter_words() {
  Words<std::optional<classifiers::Resize>> words = {{"config", std::nullopt}};
  for (const auto& [word, filter] : classifiers::resize_words()) words.emplace_back(word, filter);
  return words;
}

}  // namespace

std::vector<Option> classifier_view_rows(models::ClassifierInput* input, int64_t* size, const std::string& remark) {
  return {
      choice("--classifier-input", input, models::classifier_input_words(),
             "What it sees of pixels in [-1, 1]: as its config says, the same, [0, 1], or that by the mean and "
             "deviation of ImageNet or of CLIP's images" +
                 remark),
      {"--classifier-size", size, models::ClassifierConfig::kSize,
       "Images are resized to this many pixels square for it; 0 leaves them" + remark, ""},
  };
}

std::vector<Option> classifier_rows(models::ClassifierConfig& c, const std::string& role) {
  std::vector<Option> rows = {
      {"--classifier", &c.path, Several{},
       role + ": folder with config.json and weights, or a checkpoint file; of several the log-probabilities are "
              "averaged",
       "PATH"},
      {"--classifier-arch", &c.arch, Several{},
       "Architecture of a checkpoint file, one for all or one each; torchscript runs the program in the file; empty is "
       "what its folder says",
       "NAME"},
      choice("--classifier-resize", &c.resize, filter_words(),
             "Filter of the resizing, antialiased; config is bilinear, for CLIP bicubic"),
      precision_option("--classifier-precision", &c.precision, "Its arithmetic; same is --precision"),
      {"--softplus-beta", &c.softplus_beta, c.kSoftplusBeta,
       "Every ReLU becomes softplus(beta x)/beta; 0 keeps ReLU (EluCD: 3)", "BETA"},
      texts_option("--prompts", &c.prompts.targets,
                   "Texts that are the classes 0, 1, ... of a CLIP classifier; or a file with one a line"),
      texts_option("--contrast", &c.prompts.contrast,
                   "Texts that the images are not like: further classes, after those that labels name; or a file"),
      {"--strict", &c.prompts.strict, Anything{}, "A prompt of more than CLIP's 77 tokens is an error, not cut", ""},
      {"--clip-vocab", &c.prompts.vocabulary, Anything{},
       "CLIP's bpe_simple_vocab_16e6.txt.gz; left out it is looked for in models/clip here and beside the program",
       "FILE"},
      {"--cutouts", &c.cutouts.count, c.cutouts.kCount,
       "Classify this many random square views of each image and average the logits; 0 is the image itself", ""},
      {"--cutout-min", &c.cutouts.min_share, c.cutouts.kMinShare, "Smallest side of a view, as a share of the image's",
       ""},
  };
  const std::vector<Option> weights =
      weights_rows("classifier-", &c.weights, &c.prefix, "the --classifier", /*several=*/true);
  const std::vector<Option> seen = appended(weights, classifier_view_rows(&c.input, &c.size));
  rows.insert(rows.begin() + 2, seen.begin(), seen.end());
  return rows;
}

OptionGroup classifier_options(models::ClassifierConfig& config, const std::string& role) {
  return {"classifier", "Classifier", classifier_rows(config, role)};
}

}  // namespace sextant::commands
