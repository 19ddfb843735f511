// What classifiers of attributes learn.
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "training/tiny_training.h"

namespace sextant::testing {
namespace {

using namespace training;

class AttributeTraining : public ::testing::Test {
 protected:
  AttributeTraining()
      : images_(std::make_shared<TrainingImages>(
            TrainingImages::Source{tiny_images(folder_ / "set.npz"), data::Split::kTrain, {}}, 1, 8, 0)) {
    // Yes, no and unknown in turn.
    images_->set_answers((at::arange(60 * 3, at::kFloat).view({60, 3}) % 4 - 1).clamp(-1, 1));
  }
  TemporaryFolder folder_;
  std::shared_ptr<TrainingImages> images_;
};

TEST_F(AttributeTraining, MinimisesTheCrossEntropyOfEachKnownAnswer) {
  const auto network = tiny_network(kTinyClassifier);
  const auto objective = attribute_classification(network, kTinyClassifier, {}, images_);
  const Batch batch = images_->batch(0, 12);
  const Numbers numbers = objective->backward(batch, 1);
  std::vector<Tensor> closed;
  for (const auto& entry : network->parameters().entries()) {
    Tensor& gradient = const_cast<Tensor&>(entry.tensor.mutable_grad());
    if (!gradient.defined()) continue;
    closed.push_back(gradient.flatten().clone());
    gradient.zero_();
  }
  // The same by autograd of its definition.
  const Tensor f = logits_function(network, kTinyClassifier)(data::to_pixels(batch.images, at::kCPU), {});
  const Tensor target = (batch.answers + 1) / 2, known = batch.answers.abs();
  const Tensor loss =
      -(known * (target * at::log_sigmoid(f) + (1 - target) * at::log_sigmoid(-f))).sum() / (12.0 * 3.0);
  loss.backward();
  std::vector<Tensor> expected;
  for (const auto& entry : network->parameters().entries()) {
    if (entry.tensor.grad().defined()) expected.push_back(entry.tensor.grad().flatten());
  }
  EXPECT_NEAR(number(numbers, "loss"), loss.item<double>(), 1e-6);
  EXPECT_TENSOR_NEAR(at::cat(closed), at::cat(expected), (Tolerance{1e-7, 1e-5}));
}

TEST_F(AttributeTraining, ValidatesOverTheKnownAnswers) {
  const auto network = tiny_network(kTinyClassifier);
  const auto objective = attribute_classification(network, kTinyClassifier, {}, images_);
  checkpoint::StateDict zero;
  for (const auto& entry : network->parameters().entries()) {
    zero.set(entry.name, entry.name.find("running_var") != std::string::npos ? at::ones_like(entry.tensor.detach())
                                                                             : at::zeros_like(entry.tensor.detach()));
  }
  // All logits are 0: each known answer costs log 2, and none is right.
  const Numbers numbers = objective->validate(zero);
  const double share = images_->batch(0, 60).answers.abs().mean().item<double>();
  EXPECT_NEAR(number(numbers, "loss"), share * std::log(2), 1e-6);
  EXPECT_EQ(number(numbers, "accuracy"), 0);
  EXPECT_NEAR(number(numbers, "ece"), 0.5, 1e-9);
}

TEST_F(AttributeTraining, KeepsAnswersWithTheirImages) {
  TrainingImages rest = *images_;
  const TrainingImages held = rest.hold_out(20, 1);
  EXPECT_EQ(held.size(), 20);
  for (const TrainingImages* part : std::initializer_list<const TrainingImages*>{&rest, &held}) {
    const Batch batch = part->batch(0, part->size());
    for (int64_t i = 0; i < part->size(); ++i) {
      int64_t same = 0;  // the image in the whole set that has these pixels
      while (!images_->image(same).equal(batch.images[i])) ++same;
      EXPECT_TRUE(batch.answers[i].equal(images_->answers(same)));
    }
  }
}

TEST_F(AttributeTraining, RefusesWhatIsOfClasses) {
  const auto network = tiny_network(kTinyClassifier);
  EXPECT_NE(
      message_of([&] { attribute_classification(network, kTinyClassifier, {.lambda = 1}, images_); }).find("lambda"),
      std::string::npos);
  EXPECT_THROW(images_->set_answers(at::ones({59, 3})), ShapeError);
}

}  // namespace
}  // namespace sextant::testing
