#include <algorithm>
#include <map>

#include "images/loader.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/golden.h"

namespace sextant::testing {
namespace {

using namespace training;

/// `count` images 4x5 whose every pixel tells number and place, labels i % 3.
std::filesystem::path images(const TemporaryFolder& folder, int64_t count) {
  const Tensor pixels =
      (at::arange(count, at::kLong).view({-1, 1, 1, 1}) * 20 + at::arange(20, at::kLong).view({1, 4, 5, 1}))
          .remainder(251)
          .to(at::kByte);
  const auto path = folder / "set.npz";
  checkpoint::save_npz(path, {{"arr_0", pixels.contiguous()}, {"arr_1", at::arange(count, at::kLong).remainder(3)}});
  return path;
}

TrainingImages open(const std::filesystem::path& path, int64_t classes = 3) {
  return TrainingImages({path, data::Split::kTrain, {}}, 1, 0, classes);
}

TEST(Shuffle, ShowsEveryImageOnceInEachEpoch) {
  Shuffle order(50, 9);
  std::vector<int64_t> first, second;
  for (int64_t i = 0; i < 50; ++i) first.push_back(order(i));
  for (int64_t i = 50; i < 100; ++i) second.push_back(order(i));
  EXPECT_NE(first, second);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  EXPECT_EQ(first, second);
  EXPECT_EQ(first.front(), 0);
  EXPECT_EQ(first.back(), 49);
}

TEST(Shuffle, KnowsAnyPlaceWithoutTheOnesBefore) {
  Shuffle in_order(50, 9), jumping(50, 9);
  std::vector<int64_t> all;
  for (int64_t i = 0; i < 150; ++i) all.push_back(in_order(i));
  EXPECT_EQ(jumping(120), all[120]);
  EXPECT_EQ(jumping(3), all[3]);
}

TEST(Loader, GivesTheSameBatchesForAnyNumberOfWorkers) {
  const TemporaryFolder folder;
  const TrainingImages set = open(images(folder, 23));
  const Augmentation augmentation{2, 7, true};
  Loader alone(set, augmentation, 5, {0, 5}, 3, 0, 12, 0), few(set, augmentation, 5, {0, 5}, 3, 0, 12, 1),
      many(set, augmentation, 5, {0, 5}, 3, 0, 12, 7);
  for (int64_t step = 0; step < 12; ++step) {
    const Batch a = alone.next(), b = few.next(), c = many.next();
    EXPECT_TRUE(a.images.equal(b.images) && a.images.equal(c.images)) << step;
    EXPECT_TRUE(a.labels.equal(b.labels) && a.labels.equal(c.labels)) << step;
    EXPECT_EQ(a.number.front(), step * 5);
  }
}

TEST(Loader, GivesSomeRowsOfEachBatchAsTheyAreInTheWhole) {
  const TemporaryFolder folder;
  const TrainingImages set = open(images(folder, 23));
  Loader whole(set, {2, 7, true}, 5, {0, 5}, 3, 0, 6, 0), part(set, {2, 7, true}, 5, {2, 4}, 3, 0, 6, 2);
  for (int64_t step = 0; step < 6; ++step) {
    const Batch all = whole.next(), some = part.next();
    EXPECT_TRUE(some.images.equal(all.images.narrow(0, 2, 2)));
    EXPECT_TRUE(some.labels.equal(all.labels.narrow(0, 2, 2)));
    EXPECT_EQ(some.number, (std::vector<int64_t>{all.number[2], all.number[3]}));
    EXPECT_EQ(some.whole, 5);
  }
}

TEST(Loader, StartsAtAnyStep) {
  const TemporaryFolder folder;
  const TrainingImages set = open(images(folder, 23));
  Loader whole(set, {1, 0, true}, 4, {0, 4}, 3, 0, 20, 2), late(set, {1, 0, true}, 4, {0, 4}, 3, 13, 20, 2);
  for (int64_t step = 0; step < 13; ++step) whole.next();
  for (int64_t step = 13; step < 20; ++step) EXPECT_TRUE(whole.next().images.equal(late.next().images));
}

TEST(Loader, MovesAndTurnsImagesWithinTheirPadding) {
  const TemporaryFolder folder;
  const TrainingImages set = open(images(folder, 3));
  Loader loader(set, {1, 200, true}, 1, {0, 1}, 0, 0, 300, 2);
  std::map<std::string, int64_t> seen;
  for (int64_t step = 0; step < 300; ++step) {
    const Batch batch = loader.next();
    const Tensor got = batch.images[0];
    // The image is one of the nine moves of one of three images, turned or not.
    bool found = false;
    for (int64_t i = 0; i < 3 && !found; ++i) {
      const Tensor padded = at::constant_pad_nd(set.image(i), {1, 1, 1, 1}, 200);
      for (int64_t down = 0; down < 3 && !found; ++down) {
        for (int64_t right = 0; right < 3 && !found; ++right) {
          const Tensor moved = padded.narrow(1, down, 4).narrow(2, right, 5);
          for (const bool flip : {false, true}) {
            if (!got.equal(flip ? moved.flip({2}) : moved)) continue;
            found = true;
            EXPECT_EQ(batch.labels.item<int64_t>(), set.label(i));
            ++seen[std::to_string(down) + std::to_string(right) + (flip ? "f" : "")];
          }
        }
      }
    }
    EXPECT_TRUE(found) << step;
  }
  EXPECT_EQ(seen.size(), 18u);
}

TEST(TrainingImages, AreChosenByClass) {
  const TemporaryFolder folder;
  TrainingImages set = open(images(folder, 12));  // labels 0 1 2 0 1 2 ...
  set.restrict(1, 2);
  ASSERT_EQ(set.size(), 6);
  const TrainingImages all = open(folder / "set.npz");
  for (int64_t i = 0; i < 6; ++i) EXPECT_TRUE(set.image(i).equal(all.image(i + 3)));
}

TEST(TrainingImages, HeldOutOnesAreNotTrainedOn) {
  const TemporaryFolder folder;
  TrainingImages set = open(images(folder, 12));
  const TrainingImages held = set.hold_out(4, 1);
  EXPECT_EQ(set.size(), 8);
  EXPECT_EQ(held.size(), 4);
  for (int64_t i = 0; i < 4; ++i) {
    for (int64_t k = 0; k < 8; ++k) EXPECT_FALSE(held.image(i).equal(set.image(k)));
  }
  EXPECT_NE(message_of([&] { set.hold_out(8, 1); }).find("leaves none of 8"), std::string::npos);
}

TEST(TrainingImages, NameTheFirstLabelThatIsNoClass) {
  const TemporaryFolder folder;
  const auto path = images(folder, 12);
  const std::string message = message_of([&] { open(path, 2); });
  EXPECT_NE(message.find("set.npz image 2: label 2 is no class of the network, 0-1 (4 such images)"), std::string::npos)
      << message;
}

TEST(TrainingImages, AreScaledAndCutToTheNetworksSize) {
  const TemporaryFolder folder;
  const TrainingImages set({images(folder, 2), data::Split::kTrain, {}}, 3, 2, 3);
  EXPECT_EQ(set.image(0).sizes(), at::IntArrayRef({3, 2, 2}));
}

}  // namespace
}  // namespace sextant::testing
