// Several processes that are started by hand, each told which one it is.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/program.h"
#include "internal/runtime/files.h"
#include "sextant/checkpoint/checkpoint.h"
#include "support/ports.h"

namespace sextant::cli::testing {
namespace {

using Words = std::vector<std::string>;
using nlohmann::json;

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// What both of two processes leave; the words are those of each but for its rank.
std::vector<Outcome> two_processes(const Words& words) {
  std::vector<std::unique_ptr<Program>> processes;
  for (const char* rank : {"0", "1"}) {
    processes.push_back(std::make_unique<Program>(with(words, {"--rank", rank, "--world-size", "2"})));
  }
  std::vector<Outcome> outcomes;
  for (const auto& process : processes) outcomes.push_back(process->finish());
  return outcomes;
}

class ByHand : public ::testing::Test {
 protected:
  /// The line of a run that is refused.
  std::string refusal(const Words& flags) const {
    const Outcome outcome = sextant(small_run(folder_ / "refused", flags));
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    return outcome.err;
  }

  const TemporaryFolder folder_;
};

TEST_F(ByHand, TwoProcessesDrawTheBytesOfOne) {
  ASSERT_EQ(sextant(small_run(folder_ / "one")).exit_code, 0);
  for (const Outcome& outcome : two_processes(small_run(folder_ / "two"))) {
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  EXPECT_EQ(read_file(folder_ / "one/samples.npz"), read_file(folder_ / "two/samples.npz"));
}

TEST_F(ByHand, ProcessesThatDoDifferentWorkAreRefused) {
  auto generator = at::detail::createCPUGenerator(5);
  std::vector<std::unique_ptr<Program>> processes;
  const std::string port = sextant::testing::free_port();
  for (const char* rank : {"0", "1"}) {
    const std::string images = folder_ / (std::string(rank) + ".npz");
    checkpoint::save_npz(images, {{"arr_0", at::randint(0, 256, {20, 28, 28, 1}, generator, at::kByte)}});
    processes.push_back(std::make_unique<Program>(
        Words{"evaluate", images, "--reference", bundled("mnist-features") + "/reference_train.npz", "--features",
              bundled("mnist-features"), "--rank", rank, "--world-size", "2", "--rendezvous", "127.0.0.1:" + port}));
  }
  std::string lines;
  for (const auto& process : processes) {
    const Outcome outcome = process->finish();
    EXPECT_EQ(outcome.exit_code, 2);
    lines += outcome.err;
  }
  EXPECT_EQ(
      lines,
      "sextant evaluate: process 1 of 2 does another work than process 0: settings/evaluate/samples differs; start "
      "all of them with the same settings and files\n");
}

TEST_F(ByHand, TwoProcessesEvaluateAsOne) {
  auto generator = at::detail::createCPUGenerator(5);
  for (const char* name : {"a.npz", "b.npz"}) {
    checkpoint::save_npz(folder_ / name, {{"arr_0", at::randint(0, 256, {150, 28, 28, 1}, generator, at::kByte)}});
  }
  const Words words = {"evaluate",    folder_ / "a.npz",
                       "--reference", folder_ / "b.npz",
                       "--features",  bundled("mnist-features"),
                       "--no-cache",  "--metrics",
                       "fid",         "--bootstrap-fid",
                       "0",           "--threads",
                       "1",           "--quiet",
                       "--format",    "json"};
  const Outcome one = sextant(words);
  ASSERT_EQ(one.exit_code, 0) << one.err;
  const auto two = two_processes(with(words, {"--rendezvous", "127.0.0.1:" + sextant::testing::free_port()}));
  ASSERT_EQ(two[0].exit_code, 0) << two[0].err;
  EXPECT_EQ(two[1].exit_code, 0) << two[1].err;
  EXPECT_EQ(two[1].out, "");
  const auto fid = [](const Outcome& of) { return json::parse(of.out)["metrics"]["fid"]["value"].get<double>(); };
  EXPECT_NEAR(fid(one), fid(two[0]), 1e-9 * fid(one));
}

TEST_F(ByHand, ProcessesThatComputeTogetherNeedAPlaceToMeet) {
  const Outcome outcome = sextant({"evaluate", "a.npz", "--reference", "b.npz", "--features", bundled("mnist-features"),
                                   "--rank", "1", "--world-size", "2"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("the 2 processes of world-size have no place to meet: set rendezvous to HOST:PORT, the "
                             "machine of rank 0 and a free port"),
            std::string::npos)
      << outcome.err;
}

TEST_F(ByHand, FlagsThatAreIncompleteOrWrongAreNamed) {
  const auto expect = [&](const Words& flags, const std::string& line) {
    const std::string said = refusal(flags);
    EXPECT_NE(said.find(line), std::string::npos) << said;
  };
  expect({"--rank", "0"}, "--world-size is missing: ");
  expect({"--world-size", "2"}, "--rank is missing: ");
  expect({"--rendezvous", "node1:29500"}, "--rank is missing: ");
  expect({"--rank", "0", "--world-size", "0"}, "--world-size must be a whole number from 1");
  expect({"--rank", "2", "--world-size", "2"}, "--rank 2 must be below --world-size 2");
  expect({"--rank", "first", "--world-size", "2"}, "--rank must be a whole number from 0, got 'first'");
  expect({"--rank", "-1", "--world-size", "2"}, "--rank must be a whole number from 0, got '-1'");
  expect({"--rank", "0", "--world-size", "-2"}, "--world-size must be a whole number from 1, got '-2'");
  for (const char* place :
       {"node1", "node1:", "node1:70000", ":29500", "::1:29500", "node1:29500x", "a node:29500", "[]:29500"}) {
    expect({"--rank", "0", "--world-size", "2", "--rendezvous", place},
           std::string("--rendezvous must be HOST:PORT with a port from 1 to 65535, such as node1:29500, got '") +
               place + "'");
  }
  expect({"--rank", "0", "--world-size", "2", "--shard", "1/2"}, "--shard 1/2 beside world-size");
}

TEST_F(ByHand, FlagsBesideALauncherAreRefused) {
  const Rank launcher(0, 2);
  EXPECT_NE(refusal({"--rank", "0", "--world-size", "2"})
                .find("--rank, --world-size and --rendezvous beside torchrun, which numbers its processes itself"),
            std::string::npos);
}

}  // namespace
}  // namespace sextant::cli::testing
