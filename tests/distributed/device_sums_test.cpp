// Which processes add their gradients where, with a group on the CPU in the part of the card's.
#include "device_sums.h"

#include <gtest/gtest.h>

#include "environment.h"
#include "support/errors.h"
#include "support/group_job.h"

namespace sextant::distributed {
namespace {

using std::chrono::milliseconds;
using testing::GroupJob;
using testing::host_name;
using testing::kForksMayStartThreads;
using testing::noted;
using testing::stand_in_for_cards;

const Variables kAsked = {{"SEXTANT_CUDA_KERNELS", "1"}};

TEST(DeviceSums, AreForWhomTheSwitchAsksAndWhoHasACard) {
  const DeviceBackend there{"NCCL", at::kCUDA, "", nullptr};
  const at::Device card(at::kCUDA, 1);
  EXPECT_TRUE(choose(card, environment(kAsked), there).on_device);
  EXPECT_EQ(choose(card, environment(kAsked), there).note, "");
  for (const Variables& others : {Variables{}, Variables{{"SEXTANT_CUDA_KERNELS", "0"}}}) {
    EXPECT_FALSE(choose(card, environment(others), there).on_device);
    EXPECT_EQ(choose(card, environment(others), there).note, "");
  }
  EXPECT_FALSE(choose(at::kCPU, environment(kAsked), there).on_device);
  EXPECT_EQ(choose(at::kCPU, environment(kAsked), there).note, "");
}

TEST(DeviceSums, SayInALineThatABuildHasNone) {
  const DeviceBackend missing{"NCCL", at::kCUDA, "this build has no NCCL", nullptr};
  const at::Device card(at::kCUDA, 1);
  const Choice choice = choose(card, environment(kAsked), missing);
  EXPECT_FALSE(choice.on_device);
  EXPECT_EQ(choice.note, "gradients on cuda:1 are added on the CPU by Gloo: this build has no NCCL");
  EXPECT_EQ(choose(card, environment({}), missing).note, "");
}

TEST(DeviceSums, AreWaitedForUntilTheTimeIsOver) {
  int looks = 0;
  const DeviceSum never{[] { return false; }, [] {}};
  EXPECT_THROW(await(never, milliseconds(20), [] {}), std::runtime_error);
  EXPECT_THROW(await(never, milliseconds(600000),
                     [&] {
                       if (++looks == 2) throw std::out_of_range("gone");
                     }),
               std::out_of_range);
  const DeviceSum bad{[] { return true; }, [] { throw std::domain_error("bad"); }};
  EXPECT_THROW(await(bad, milliseconds(1), [] {}), std::domain_error);
}

TEST(DeviceSums, SayInALineThatACardDoesNotWork) {
  const auto broken = []() -> DeviceGroup { throw std::runtime_error("no GPUs found!\nframe 1"); };
  const auto opening = [&] { open_group("NCCL", at::kCPU, broken, milliseconds(60000), [] {}); };
  EXPECT_EQ(testing::message_of(opening),
            "gradients on cpu cannot be added by NCCL: no GPUs found!; SEXTANT_CUDA_KERNELS=0 adds them on the CPU");
}

TEST(DeviceSums, AreAddedByTheCardsGroupAndMessagesByTheOther) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  const testing::TemporaryFolder folder;
  const DeviceBackend cards = stand_in_for_cards(folder.path() / "noted");
  const auto work = [](Group& group) -> std::string {
    const Group::Sums sums = group.sums_of(at::kCPU);
    if (!sums.note.empty()) return sums.note;
    const Tensor x = at::full({3}, static_cast<double>(group.rank() + 1), at::kFloat);
    sums.begin(x)();
    if (group.sum(1) != group.size()) return "messages do not arrive";
    return at::equal(x, at::full({3}, 6, at::kFloat)) ? "right" : "wrong";
  };
  GroupJob job(3, work, kAsked, cards);
  for (const int64_t rank : {0, 1, 2}) EXPECT_EQ(job.line(rank), "right");
  for (const int64_t rank : {0, 1, 2}) EXPECT_EQ(noted(folder.path() / "noted", rank), "ssc");  // one to open with
}

TEST(DeviceSums, StayOnTheCpuWithoutTheSwitch) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  const testing::TemporaryFolder folder;
  const DeviceBackend cards = stand_in_for_cards(folder.path() / "noted");
  const auto work = [](Group& group) -> std::string {
    const Group::Sums sums = group.sums_of(at::kCPU);
    const Tensor x = at::ones({3});
    sums.begin(x)();
    return sums.note + std::to_string(x[0].item<int64_t>());
  };
  GroupJob job(2, work, {}, cards);
  EXPECT_EQ(job.line(0), "2");
  EXPECT_EQ(job.line(1), "2");
  EXPECT_EQ(noted(folder.path() / "noted", 0), "");
}

TEST(DeviceSums, StayOnTheCpuWhereOneProcessIsNotForThem) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  const testing::TemporaryFolder folder;
  const DeviceBackend cards = stand_in_for_cards(folder.path() / "noted");
  const auto work = [](Group& group) -> std::string {
    const Group::Sums sums = group.sums_of(group.rank() == 0 ? at::kCPU : at::kMeta);
    const Tensor x = at::ones({3});
    sums.begin(x)();
    return x[0].item<int64_t>() == 2 && sums.where == at::kCPU ? sums.note : "wrong";
  };
  GroupJob job(2, work, kAsked, cards);
  for (const int64_t rank : {0, 1}) {
    EXPECT_EQ(job.line(rank),
              "gradients are added on the CPU by Gloo: 1 of 2 processes have stand-in and SEXTANT_CUDA_KERNELS=1");
  }
}

/// A sum on a card that never ends, as NCCL's does not when another process is gone.
DeviceBackend stuck() {
  const auto open = [](const auto&, const World&, milliseconds, at::Device) -> DeviceGroup {
    const auto opened = std::make_shared<bool>(false);
    const auto begin = [opened](const Tensor&) -> DeviceSum {
      const bool first = !std::exchange(*opened, true);
      return {[first] { return first; }, [] {}};
    };
    return {begin, [](bool) {}};
  };
  return {"stuck", at::kCPU, "", open};
}

TEST(DeviceSums, NameAKilledProcessBeforeTheTimeIsOver) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  const auto work = [](Group& group) -> std::string {
    const Group::Sums sums = group.sums_of(at::kCPU);
    group.at("step 3");
    if (group.rank() == 1) raise(SIGKILL);
    sums.begin(at::ones({3}))();
    return "went on";
  };
  const DeviceBackend cards = stuck();
  GroupJob job(2, work, kAsked, cards);
  EXPECT_EQ(job.line(0), "rank 1 on " + host_name() + ", step 3, is gone; this ends the job, what is saved is kept");
}

TEST(DeviceSums, NameAProcessThatFailedBeforeTheTimeIsOver) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  const auto work = [](Group& group) -> std::string {
    const Group::Sums sums = group.sums_of(at::kCPU);
    group.at("step 3");
    if (group.rank() == 1) throw NumericError("the loss is nan");
    sums.begin(at::ones({3}))();
    return "went on";
  };
  const DeviceBackend cards = stuck();
  GroupJob job(2, work, kAsked, cards);
  EXPECT_EQ(job.line(0), "rank 1 on " + host_name() +
                             ", step 3, failed, as it says itself; this ends the job, what is saved is kept");
}

TEST(DeviceSums, NameAProcessThatStalls) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  const auto work = [](Group& group) -> std::string {
    const Group::Sums sums = group.sums_of(at::kCPU);
    group.at("step 3");
    if (group.rank() == 1) pause();
    sums.begin(at::ones({3}))();
    return "went on";
  };
  const DeviceBackend cards = stuck();
  GroupJob job(2, work, {{"SEXTANT_CUDA_KERNELS", "1"}, {"SEXTANT_TIMEOUT", "2"}}, cards);
  EXPECT_EQ(job.line(0), "rank 1 on " + host_name() +
                             ", step 3, kept the others waiting for more than 2 s (SEXTANT_TIMEOUT), or is gone; this "
                             "ends the job, what is saved is kept");
}

}  // namespace
}  // namespace sextant::distributed
