// CLIP as a classifier of texts.
#include "models/toy.h"
#include "sextant/runtime/error.h"
#include "sextant/text/tokenizer.h"
#include "support/errors.h"

namespace sextant::models {
namespace {

using testing::Tolerance;

class PromptedClip : public ::testing::Test {
 protected:
  PromptedClip() { write_model(folder_ / "clip", tiny_clip_config(), random_weights(tiny_clip_config())); }

  guidance::Classifier open(const ClassifierConfig& config) {
    return open_classifier(config, {}, {}, [this](const std::string& line) { warnings_.push_back(line); });
  }

  ClassifierConfig clip(std::vector<std::string> targets, std::vector<std::string> contrast = {}) {
    const auto vocabulary = testing::source_dir() / "models/clip/bpe_simple_vocab_16e6.txt.gz";
    return {.path = folder_ / "clip", .prompts = {std::move(targets), std::move(contrast), false, vocabulary}};
  }

  testing::TemporaryFolder folder_;
  std::vector<std::string> warnings_;
};

TEST_F(PromptedClip, MeasuresTheSimilarityToEveryText) {
  const ClassifierConfig asked = clip({"a red fox", "a blue cat"}, {"a photo"});
  const auto network = std::dynamic_pointer_cast<const networks::Clip>(open_network(describe(folder_ / "clip"), {}));
  const text::ClipTokenizer tokenizer(asked.prompts.vocabulary);
  at::manual_seed(4);
  const Tensor x = at::rand({2, 3, 40, 40}) * 2 - 1;
  const auto constant = [](const double* values) {
    return at::tensor({values[0], values[1], values[2]}, at::kDouble).to(at::kFloat).view({1, 3, 1, 1});
  };
  const Tensor seen = at::_upsample_bicubic2d_aa((x + 1) / 2, {16, 16}, false);
  const Tensor image = (seen - constant(networks::kClipMean)) / constant(networks::kClipStd);
  const Tensor texts = network->text_features(tokenizer.tokenize({"a red fox", "a blue cat", "a photo"}));
  const Tensor expected = network->logits(network->image_features(image), texts);
  const guidance::Classifier classifier = open(asked);
  EXPECT_EQ(classifier.classes, 3);
  EXPECT_FALSE(classifier.uses_time);
  EXPECT_TENSOR_NEAR(classifier.logits(x, {}), expected, (Tolerance{1e-5, 1e-5}));
  EXPECT_GT(log_prob_gradient(classifier, x, at::tensor({0, 1}, at::kLong)).abs().max().item<double>(), 0);
}

TEST_F(PromptedClip, SaysWhichPromptItCutAndRefusesItWhenStrict) {
  std::string text = "fox";
  for (int i = 0; i < 79; ++i) text += " fox";
  ClassifierConfig asked = clip({text, "a cat"});
  open(asked);
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("has 80 tokens, of which CLIP reads 75"), std::string::npos) << warnings_[0];
  asked.prompts.strict = true;
  const std::string message = testing::message_of<UsageError>([&] { open(asked); });
  EXPECT_EQ(message.rfind("strict: prompt 'fox fox", 0), 0u) << message;
}

TEST_F(PromptedClip, NeedsTwoTextsAndItsVocabulary) {
  EXPECT_NE(testing::message_of<UsageError>([&] { open(clip({})); }).find("prompts are needed"), std::string::npos);
  EXPECT_NE(testing::message_of<UsageError>([&] { open(clip({"a fox"})); }).find("contrast is needed beside a single"),
            std::string::npos);
  EXPECT_NE(testing::message_of<UsageError>([&] { open(clip({}, {"a fox"})); }).find("contrast needs prompts"),
            std::string::npos);
  ClassifierConfig asked = clip({"a fox", "a cat"});
  asked.prompts.vocabulary = folder_ / "nowhere.gz";
  EXPECT_NE(testing::message_of<UsageError>([&] { open(asked); }).find("clip-vocab: there is no file"),
            std::string::npos);
}

TEST_F(PromptedClip, HasNoReluToSmoothInItsTransformer) {
  ClassifierConfig asked = clip({"a fox", "a cat"});
  asked.softplus_beta = 3;
  EXPECT_NE(testing::message_of<UsageError>([&] { open(asked); }).find("has no ReLU to smooth"), std::string::npos);
}

TEST(Prompts, AreOfClipAlone) {
  const testing::TemporaryFolder folder;
  const nlohmann::json config = arch_config("cifar-resnet20");
  write_model(folder / "model", config, random_weights(config));
  const std::string message = testing::message_of<UsageError>(
      [&] { open_classifier({.path = folder / "model", .prompts = {.targets = {"a fox"}}}, {}); });
  EXPECT_NE(message.find("is of type 'cifar-resnet', whose classes are fixed; only CLIP's are texts"),
            std::string::npos)
      << message;
}

TEST(Vocabulary, IsFoundBesideTheProgram) {
  EXPECT_EQ(find_clip_vocabulary("").filename(), "bpe_simple_vocab_16e6.txt.gz");
}

}  // namespace
}  // namespace sextant::models
