// Wrappers that change what a classifier reads, or only watch it.
#include <chrono>
#include <thread>

#include "classifiers/toy.h"
#include "sextant/runtime/error.h"
#include "sextant/runtime/progress.h"
#include "support/errors.h"

namespace sextant::classifiers {
namespace {

using guidance::Classifier;
using testing::Tolerance;

TEST(Latent, ReadsWhatTheLatentsDecodeTo) {
  const Classifier of_images = means({1, 2, -1, 0.5}, 2);
  const Classifier of_latents = latent(of_images, [](const Tensor& z) {
    return at::upsample_nearest2d(z * 2, {8, 8});
  });
  at::manual_seed(5);
  const Tensor z = at::randn({3, 2, 4, 4}, at::kDouble);
  EXPECT_EQ(of_latents.classes, 2);
  EXPECT_TENSOR_NEAR(of_latents.logits(z), of_images.logits(2 * z), (Tolerance{1e-14, 0}));
  const Tensor y = at::zeros({3}, at::kLong);
  EXPECT_TENSOR_NEAR(log_prob_gradient(of_latents, z, y), 2 * log_prob_gradient(of_images, 2 * z, y),
                     (Tolerance{1e-14, 0}));
}

TEST(Wrappers, RefuseWhatIsNone) {
  EXPECT_THROW(of_network(nullptr), UsageError);
  EXPECT_THROW(prompted(nullptr, at::zeros({1, 77}, at::kLong)), UsageError);
  EXPECT_THROW(timed(means({1, 1}, 2), nullptr), UsageError);
}

TEST(Timed, HearsOfTheForwardAndOfTheBackwardPassAndChangesNothing) {
  constexpr std::chrono::milliseconds kForward(10), kBackward(40);
  const auto seconds = [](auto time) { return std::chrono::duration<double>(time).count(); };
  const Classifier quick = means({1, 2, -1, 0.5}, 2);
  const Classifier plain = {[&](const Tensor& x, const Tensor& t, const SampleIds& ids) {
                              const Tensor seen = x * 1;
                              std::this_thread::sleep_for(kForward);
                              if (seen.requires_grad()) {
                                seen.register_hook([&](const Tensor&) { std::this_thread::sleep_for(kBackward); });
                              }
                              return quick.logits(seen, t, ids);
                            },
                            quick.classes, quick.uses_time};
  const auto watch = std::make_shared<Stopwatch>();
  const Classifier watched = timed(plain, watch);
  const Tensor x = at::rand({3, 2, 4, 4}, at::kDouble);
  const Tensor y = at::ones({3}, at::kLong);
  EXPECT_TRUE(at::equal(watched.logits(x), plain.logits(x)));
  EXPECT_GE(watch->take(), seconds(kForward));
  EXPECT_TRUE(at::equal(log_prob_gradient(watched, x, y), log_prob_gradient(plain, x, y)));
  EXPECT_GE(watch->take(), seconds(kForward + kBackward));
}

TEST(Wrappers, HandOnTheTimeAndTheSamples) {
  const Classifier asked = {[](const Tensor& x, const Tensor& t, const SampleIds& ids) {
                              const auto first = static_cast<double>(ids.samples.at(0));
                              return x.mean({2, 3}) + t.unsqueeze(1) + first + static_cast<double>(ids.seed);
                            },
                            2, true};
  const Tensor x = at::rand({1, 2, 6, 6}, at::kDouble), t = at::full({1}, 100.0, at::kDouble);
  const SampleIds ids = {7, {3}};
  const InputConvention range = {0, 1, {}, {}, 0, Resize::kBilinear};
  const auto unchanged = [](const Tensor& z) { return z; };
  const Tensor expected = asked.logits(x, t, ids);
  EXPECT_TENSOR_NEAR(expected, x.mean({2, 3}) + 110, (Tolerance{1e-12, 0}));
  const std::vector<Classifier> wrapped = {sized(asked, 6, Resize::kArea), latent(asked, unchanged),
                                           timed(asked, std::make_shared<Stopwatch>()),
                                           cut_out(asked, {1, 1, 6, Resize::kArea}), ensemble({asked})};
  for (const Classifier& classifier : wrapped) {
    EXPECT_TRUE(classifier.uses_time);
    EXPECT_EQ(classifier.classes, 2);
    EXPECT_TENSOR_NEAR(classifier.logits(x, t, ids), expected, (Tolerance{1e-12, 0}));
  }
  EXPECT_TENSOR_NEAR(normalised(asked, range).logits(x, t, ids), (x.mean({2, 3}) + 1) / 2 + 110, (Tolerance{1e-12, 0}));
  EXPECT_TENSOR_NEAR(ensemble({asked, asked}).logits(x, t, ids), at::log_softmax(expected, 1), (Tolerance{1e-12, 0}));
}

}  // namespace
}  // namespace sextant::classifiers
