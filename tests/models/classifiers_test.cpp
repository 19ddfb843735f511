// Classifiers made of classifiers.
#include "models/toy.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"
#include "sextant/text/tokenizer.h"
#include "support/errors.h"

namespace sextant::models {
namespace {

using sextant::testing::message_of;
using sextant::testing::Tolerance;

ClassifierPtr means(std::vector<double> weight, int64_t classes, bool uses_time = false) {
  return std::make_shared<const Means>(at::tensor(weight, at::kDouble).reshape({classes, -1}), uses_time);
}

// ---- resizing --------------------------------------------------------------------------------------------

TEST(Resized, AgreesWithPil) {
  const checkpoint::StateDict file =
      checkpoint::load(testing::source_dir() / "tests/models/data/resize.safetensors").weights();
  const Tensor& x = file.at("x");
  for (const char* name : {"bilinear", "bicubic"}) {
    for (const auto& [height, width] : {std::pair(7, 9), std::pair(30, 31)}) {
      const Tensor& expected = file.at(c10::str(name, "_", height, "x", width));
      EXPECT_TENSOR_NEAR(resized(x, height, width, parse_resize(name)), expected, (Tolerance{2e-6, 0}));
    }
  }
}

TEST(Resized, TakesTheMeanOfTheAreaAndLeavesTheSameSizeAlone) {
  const Tensor x = at::rand({2, 3, 8, 8});
  const Tensor quarters = x.reshape({2, 3, 4, 2, 4, 2}).mean({3, 5});
  EXPECT_TENSOR_NEAR(resized(x, 4, 4, Resize::kArea), quarters, (Tolerance{1e-6, 0}));
  for (const std::string& name : resize_names()) EXPECT_TRUE(resized(x, 8, 8, parse_resize(name)).is_same(x)) << name;
  EXPECT_EQ(testing::message_of<UsageError>([] { parse_resize("bicubik"); }),
            "resize 'bicubik' is unknown; use bilinear, bicubic or area. Did you mean 'bicubic'?");
}

TEST(Sized, CarriesTheGradientThroughEveryFilter) {
  at::manual_seed(1);
  const Tensor x = at::rand({2, 2, 9, 9}, at::kDouble);
  const Tensor y = at::tensor({0, 2}, at::kLong);
  const ClassifierPtr inner = means({1, 2, -1, 0.5, 3, -2}, 3);
  for (const std::string& name : resize_names()) {
    const ClassifierPtr classifier = sized(inner, 5, parse_resize(name));
    const Tensor gradient = log_prob_gradient(*classifier, x, y);
    const Tensor step = at::randn_like(x) * 1e-6;
    const auto value = [&](const Tensor& at) {
      return at::log_softmax(classifier->logits(at, {}), 1).gather(1, y.unsqueeze(1)).sum().item<double>();
    };
    EXPECT_NEAR((gradient * step).sum().item<double>(), (value(x + step) - value(x - step)) / 2, 1e-12) << name;
  }
}

// ---- ensembles -------------------------------------------------------------------------------------------

TEST(Ensemble, AveragesLogProbabilities) {
  at::manual_seed(2);
  const Tensor x = at::rand({4, 2, 3, 3}, at::kDouble);
  const ClassifierPtr a = means({1, 2, 0, 1, -3, 1}, 3);
  const ClassifierPtr b = means({0, 1, 2, -2, 5, 1}, 3);
  const Tensor expected = (at::log_softmax(a->logits(x, {}), 1) + at::log_softmax(b->logits(x, {}), 1)) / 2;
  const ClassifierPtr both = ensemble({a, b});
  EXPECT_EQ(both->num_classes(), 3);
  EXPECT_TENSOR_NEAR(both->logits(x, {}), expected, (Tolerance{1e-14, 0}));
}

TEST(Ensemble, OfOneIsThatOneAndOfStrangersIsRefused) {
  const ClassifierPtr a = means({1, 2, 3, 4}, 2);
  EXPECT_EQ(ensemble({a}), a);
  EXPECT_EQ(testing::message_of<UsageError>([&] {
              ensemble({a, means({1, 2, 3}, 3)});
            }),
            "ensemble: classifier 2 has 3 classes but the first has 2; give classifiers of the same classes");
  EXPECT_EQ(testing::message_of<UsageError>([&] {
              ensemble({a, means({1, 2, 3, 4}, 2, true)});
            }),
            "ensemble: some classifiers are noise-aware and some read clean images; give those of one kind");
  EXPECT_THROW(ensemble({}), UsageError);
}

// ---- cut-outs --------------------------------------------------------------------------------------------

class CutOuts : public ::testing::Test {
 protected:
  ClassifierPtr make(int64_t count, double min_share) {
    return cut_out(inner_, {count, min_share, 6, Resize::kBilinear}, streams_);
  }

  ClassifierPtr inner_ = means({1, 2, -1, 0.5, 3, -2}, 3);
  std::shared_ptr<SampleStreams> streams_ = std::make_shared<SampleStreams>(SampleStreams{7, {4, 5, 6}});
  Tensor x_ = (at::manual_seed(3), at::rand({3, 2, 12, 10}, at::kDouble));
  Tensor t_ = at::full({3}, 250, at::kLong);
};

TEST_F(CutOuts, OfTheWholeImageAreTheImage) {
  const Tensor square = x_.narrow(2, 0, 10);
  const Tensor expected = inner_->logits(resized(square, 6, 6, Resize::kBilinear), {});
  EXPECT_TENSOR_NEAR(make(3, 1)->logits(square, t_), expected, (Tolerance{1e-13, 0}));
}

TEST_F(CutOuts, AreMeansOverSquaresOfTheImage) {
  // On the image whose pixels are their own row, column numbers, the mean of a view is its middle: inside the image.
  const Tensor rows = at::arange(12, at::kDouble).view({1, 1, 12, 1}).expand({1, 1, 12, 10});
  const Tensor columns = at::arange(10, at::kDouble).view({1, 1, 1, 10}).expand({1, 1, 12, 10});
  const ClassifierPtr place = cut_out(means({1, 0, 0, 1}, 2), {1, 0.5, 0, Resize::kArea}, streams_);
  std::set<std::pair<double, double>> middles;
  for (int64_t t = 0; t < 200; ++t) {
    const Tensor image = at::cat({rows, columns}, 1).expand({3, 2, 12, 10}).contiguous();
    const Tensor f = place->logits(image, at::full({3}, t, at::kLong));
    for (int64_t n = 0; n < 3; ++n) {
      const double row = f[n][0].item<double>(), column = f[n][1].item<double>();
      EXPECT_TRUE(row >= 2 && row <= 9 && column >= 2 && column <= 7) << row << " " << column;
      middles.insert({row, column});
    }
  }
  EXPECT_GT(middles.size(), 50u);  // of sides 5 to 10 at every place
}

TEST_F(CutOuts, DependOnSampleTimeAndSeedButNotOnTheBatch) {
  const ClassifierPtr classifier = make(4, 0.3);
  const Tensor together = classifier->logits(x_, t_);
  EXPECT_TRUE(at::equal(classifier->logits(x_, t_), together));
  for (int64_t n = 0; n < 3; ++n) {
    streams_->samples = {4 + n};
    EXPECT_TENSOR_NEAR(classifier->logits(x_.narrow(0, n, 1), t_.narrow(0, n, 1)), together.narrow(0, n, 1),
                       (Tolerance{1e-14, 0}));
  }
  streams_->samples = {4, 5, 6};
  EXPECT_FALSE(at::allclose(classifier->logits(x_, t_ + 1), together));
  streams_->samples = {4, 5, 9};
  const Tensor other = classifier->logits(x_, t_);
  EXPECT_TENSOR_NEAR(other.narrow(0, 0, 2), together.narrow(0, 0, 2), (Tolerance{1e-14, 0}));
  EXPECT_FALSE(at::allclose(other[2], together[2]));
  *streams_ = {8, {4, 5, 6}};
  EXPECT_FALSE(at::allclose(classifier->logits(x_, t_), together));
}

TEST_F(CutOuts, GiveCopiesOfASampleViewsOfTheirOwn) {
  streams_->samples = {4};
  const Tensor f = make(2, 0.3)->logits(x_.narrow(0, 0, 1).expand({3, 2, 12, 10}), t_);
  EXPECT_FALSE(at::allclose(f[0], f[1]));
  EXPECT_FALSE(at::allclose(f[1], f[2]));
  streams_->samples = {4, 5};
  EXPECT_THROW(make(2, 0.3)->logits(x_, t_), ShapeError);
}

TEST_F(CutOuts, CarryTheGradient) {
  const ClassifierPtr classifier = make(5, 0.2);
  const Tensor y = at::tensor({0, 1, 2}, at::kLong);
  const Tensor gradient = log_prob_gradient(*classifier, x_, y, t_);
  const Tensor step = at::randn_like(x_) * 1e-6;
  const auto value = [&](const Tensor& at) {
    return at::log_softmax(classifier->logits(at, t_), 1).gather(1, y.unsqueeze(1)).sum().item<double>();
  };
  EXPECT_NEAR((gradient * step).sum().item<double>(), (value(x_ + step) - value(x_ - step)) / 2, 1e-12);
}

TEST_F(CutOuts, NeedAShareOfTheImage) {
  EXPECT_THROW(make(0, 0.5), UsageError);
  EXPECT_THROW(make(1, 0), UsageError);
  EXPECT_THROW(make(1, 1.5), UsageError);
}

// ---- prompts ---------------------------------------------------------------------------------------------

class PromptedClip : public ::testing::Test {
 protected:
  PromptedClip() { write_model(folder_ / "clip", tiny_clip_config(), random_weights(tiny_clip_config())); }

  ClassifierPtr open(const ClassifierOptions& options) { return open_classifier(folder_ / "clip", "", options, {}); }

  ClassifierOptions options(std::vector<std::string> targets, std::vector<std::string> contrast = {}) {
    ClassifierOptions options;
    options.prompts.targets = std::move(targets);
    options.prompts.contrast = std::move(contrast);
    options.prompts.vocabulary = testing::source_dir() / "models/clip/bpe_simple_vocab_16e6.txt.gz";
    options.warn = [this](const std::string& line) { warnings_.push_back(line); };
    return options;
  }

  testing::TemporaryFolder folder_;
  std::vector<std::string> warnings_;
};

TEST_F(PromptedClip, MeasuresTheSimilarityToEveryText) {
  const ClassifierOptions asked = options({"a red fox", "a blue cat"}, {"a photo"});
  const auto clip = std::dynamic_pointer_cast<const networks::Clip>(open_network(describe(folder_ / "clip"), {}));
  const text::ClipTokenizer tokenizer(asked.prompts.vocabulary);
  at::manual_seed(4);
  const Tensor x = at::rand({2, 3, 40, 40}) * 2 - 1;
  const auto constant = [](const double* values) {
    return at::tensor({values[0], values[1], values[2]}, at::kDouble).to(at::kFloat).view({1, 3, 1, 1});
  };
  const Tensor seen = at::_upsample_bicubic2d_aa((x + 1) / 2, {16, 16}, false);
  const Tensor image = (seen - constant(networks::kClipMean)) / constant(networks::kClipStd);
  const Tensor texts = clip->text_features(tokenizer.tokenize({"a red fox", "a blue cat", "a photo"}));
  const Tensor expected = clip->logits(clip->image_features(image), texts);
  const ClassifierPtr classifier = open(asked);
  EXPECT_EQ(classifier->num_classes(), 3);
  EXPECT_FALSE(classifier->uses_time());
  EXPECT_TENSOR_NEAR(classifier->logits(x, {}), expected, (Tolerance{1e-5, 1e-5}));
  EXPECT_GT(log_prob_gradient(*classifier, x, at::tensor({0, 1}, at::kLong)).abs().max().item<double>(), 0);
}

TEST_F(PromptedClip, SaysWhichPromptItCutAndRefusesItWhenStrict) {
  std::string text = "fox";
  for (int i = 0; i < 79; ++i) text += " fox";
  ClassifierOptions asked = options({text, "a cat"});
  open(asked);
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("has 80 tokens, of which CLIP reads 75"), std::string::npos) << warnings_[0];
  asked.prompts.strict = true;
  const std::string message = testing::message_of<UsageError>([&] { open(asked); });
  EXPECT_EQ(message.rfind("--strict: prompt 'fox fox", 0), 0u) << message;
}

TEST_F(PromptedClip, NeedsTwoTextsAndItsVocabulary) {
  EXPECT_NE(testing::message_of<UsageError>([&] { open(options({})); }).find("--prompts is needed"), std::string::npos);
  EXPECT_NE(
      testing::message_of<UsageError>([&] { open(options({"a fox"})); }).find("--contrast is needed beside a single"),
      std::string::npos);
  ClassifierOptions asked = options({"a fox", "a cat"});
  asked.prompts.vocabulary = folder_ / "nowhere.gz";
  EXPECT_NE(testing::message_of<UsageError>([&] { open(asked); }).find("--clip-vocab: there is no file"),
            std::string::npos);
}

TEST_F(PromptedClip, HasNoReluToSmoothInItsTransformer) {
  ClassifierOptions asked = options({"a fox", "a cat"});
  asked.softplus_beta = 3;
  EXPECT_NE(testing::message_of<UsageError>([&] { open(asked); }).find("has no ReLU to smooth"), std::string::npos);
}

TEST(Prompts, AreOfClipAlone) {
  const testing::TemporaryFolder folder;
  const nlohmann::json config = arch_config("cifar-resnet20");
  write_model(folder / "model", config, random_weights(config));
  ClassifierOptions options;
  options.prompts.targets = {"a fox"};
  const std::string message =
      testing::message_of<UsageError>([&] { open_classifier(folder / "model", "", options, {}); });
  EXPECT_NE(message.find("is of type 'cifar-resnet', whose classes are fixed; only CLIP's are texts"),
            std::string::npos)
      << message;
}

TEST(Vocabulary, IsFoundBesideTheProgram) {
  EXPECT_EQ(find_clip_vocabulary("").filename(), "bpe_simple_vocab_16e6.txt.gz");
}

}  // namespace
}  // namespace sextant::models
