#include "internal/distributed/group.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "environment.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"
#include "support/group_job.h"

namespace sextant::distributed {
namespace {

using testing::host_name;
using testing::kForksMayStartThreads;
using testing::world;
using Job = testing::GroupJob;

TEST(Group, OfOneGivesBackWhatItGets) {
  Group group;
  const Tensor x = at::ones({3});
  group.sum(x);
  EXPECT_TRUE(at::equal(x, at::ones({3})));
  EXPECT_TRUE(at::equal(group.gather(x), x));
  EXPECT_EQ(group.sum(5), 5);
  EXPECT_TRUE(group.alone() && group.leads());
}

TEST(Group, AddsAndGathersInTheOrderOfItsRanks) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  Job job(3, [](Group& group) -> std::string {
    const Tensor x = at::full({2}, static_cast<double>(group.rank() + 1), at::kDouble);
    group.sum(x);
    if (!at::equal(x, at::full({2}, 6, at::kDouble))) return "wrong sum";
    // Rank r has r rows, so the first has none.
    const Tensor rows = group.gather(at::full({group.rank(), 2}, group.rank(), at::kLong));
    if (!at::equal(rows, at::tensor({1, 1, 2, 2, 2, 2}, at::kLong).view({3, 2}))) return "wrong rows";
    if (group.gather(group.rank() == 1 ? at::ones({1, 4}) : Tensor()).sizes() != at::IntArrayRef({1, 4}))
      return "undefined rows are some";
    if (group.gather(Tensor()).defined()) return "no rows are some";
    const auto lines = group.gather(std::vector<std::string>(static_cast<std::size_t>(group.rank()), "a b"));
    if (lines != std::vector<std::string>{"a b", "a b", "a b"}) return "wrong lines";
    return group.sum(group.rank()) == 3 ? "right" : "wrong number";
  });
  for (const int64_t rank : {0, 1, 2}) EXPECT_EQ(job.line(rank), "right");
}

TEST(Group, NeedsNoOrderBetweenItsSumsAndThoseApart) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  Job job(2, [](Group& group) -> std::string {
    const auto apart = group.sums_apart();
    const Tensor x = at::ones({1000}), other = at::full({3}, 2, at::kDouble);
    if (group.leads()) apart(other);
    const auto wait = group.begin_sum(x);
    if (!group.leads()) apart(other);
    wait();
    return at::equal(x, at::full({1000}, 2)) && at::equal(other, at::full({3}, 4, at::kDouble)) ? "right" : "wrong";
  });
  for (const int64_t rank : {0, 1}) EXPECT_EQ(job.line(rank), "right");
}

TEST(Group, NamesAKilledProcessInASumApart) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  Job job(2, [](Group& group) -> std::string {
    const auto apart = group.sums_apart();
    group.at("step 3");
    group.sum(1);  // both have said so
    if (group.rank() == 1) raise(SIGKILL);
    apart(at::ones({3}, at::kDouble));
    return "went on";
  });
  EXPECT_EQ(job.line(0), "rank 1 on " + host_name() + ", step 3, is gone; this ends the job, what is saved is kept");
}

TEST(Group, NamesAProcessThatDoesNotComeToASumApart) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  Job job(2,
          [](Group& group) -> std::string {
            const auto apart = group.sums_apart();
            group.at("step 3");
            if (group.rank() == 1) pause();
            group.at("step 4");
            apart(at::ones({3}, at::kDouble));
            return "went on";
          },
          {{"SEXTANT_TIMEOUT", "1"}});
  EXPECT_EQ(job.line(0), "rank 1 on " + host_name() +
                             ", step 3, kept the others waiting for more than 1 s (SEXTANT_TIMEOUT), or is gone; this "
                             "ends the job, what is saved is kept");
}

TEST(Group, NamesAKilledProcessItsHostAndWhereItWas) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  Job job(2, [](Group& group) -> std::string {
    group.at("batch 3");
    group.sum(1);  // all have met
    if (group.rank() == 1) raise(SIGKILL);
    group.sum(1);
    return "went on";
  });
  EXPECT_EQ(job.line(0), "rank 1 on " + host_name() + ", batch 3, is gone; this ends the job, what is saved is kept");
}

TEST(Group, NamesTheFirstProcessToo) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  Job job(2, [](Group& group) -> std::string {
    group.at("batch 3");
    group.sum(1);  // all have met
    if (group.rank() == 0) raise(SIGKILL);
    group.sum(1);
    return "went on";
  });
  EXPECT_EQ(job.line(1), "rank 0 on " + host_name() + ", batch 3, is gone; this ends the job, what is saved is kept");
}

TEST(Group, NamesAProcessThatFailed) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  Job job(2, [](Group& group) -> std::string {
    group.at("batch 3");
    if (group.rank() == 1) throw NumericError("the loss is nan");
    group.sum(1);
    return "went on";
  });
  EXPECT_EQ(job.line(1), "the loss is nan");
  EXPECT_EQ(job.line(0), "rank 1 on " + host_name() +
                             ", batch 3, failed, as it says itself; this ends the job, what is saved is kept");
}

TEST(Group, NamesAProcessThatDoesNotCome) {
  if (!kForksMayStartThreads) GTEST_SKIP() << "ThreadSanitizer";
  Job job(2,
          [](Group& group) -> std::string {
            group.at("batch 3");
            if (group.rank() == 1) pause();
            group.at("batch 4");
            group.sum(1);
            return "went on";
          },
          {{"SEXTANT_TIMEOUT", "1"}});
  EXPECT_EQ(job.line(0), "rank 1 on " + host_name() +
                             ", batch 3, kept the others waiting for more than 1 s (SEXTANT_TIMEOUT), or is gone; this "
                             "ends the job, what is saved is kept");
}

TEST(Group, NamesAProcessOfItsMachineThatDoesNotStart) {
  const Environment here =
      environment({{"TORCHELASTIC_RUN_ID", "1"}, {"TORCHELASTIC_RESTART_COUNT", "7"}, {"SEXTANT_TIMEOUT", "1"}});
  const std::string message = testing::message_of([&] { Group(world(0, 2), here); });
  const std::string begin = "of the 2 processes, rank 1 did not come to ", end = " within 1 s (SEXTANT_TIMEOUT)";
  ASSERT_TRUE(message.starts_with(begin) && message.ends_with(end)) << message;
  unlink(message.substr(begin.size(), message.size() - begin.size() - end.size()).c_str());
}

TEST(Group, OfSeveralMachinesNeedsAPlaceToMeet) {
  const auto refusal = [](World here) { return testing::message_of([&] { Group(here, environment({})); }); };
  World spread = world(0, 4);
  spread.local_size = 2;
  spread.launcher = "srun";
  EXPECT_EQ(refusal(spread),
            "the 4 processes of srun have no place to meet: set MASTER_ADDR to the first one's machine and MASTER_PORT "
            "to a free port");
}

}  // namespace
}  // namespace sextant::distributed
