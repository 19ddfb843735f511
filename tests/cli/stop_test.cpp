#include <csignal>

#include "cli/program.h"
#include "internal/runtime/files.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;

/// Long enough to be stopped in the middle.
std::vector<std::string> long_run(const fs::path& out) {
  return small_run(out, {"--count", "40", "--batch", "2", "--steps", "5"});
}

/// The first images of `whole` are those of `part`.
void expect_beginning(const Tensor& part, const Tensor& whole) {
  ASSERT_LE(part.size(0), whole.size(0));
  EXPECT_TRUE(part.equal(whole.narrow(0, 0, part.size(0))));
}

class Stopped : public ::testing::TestWithParam<int> {};

TEST_P(Stopped, RunSavesItsFinishedBatchesAndContinues) {
  const TemporaryFolder folder;
  Program program(long_run(folder / "o"));
  ASSERT_TRUE(wait_for_first_batch(folder / "o"));
  program.signal(GetParam());
  const Outcome outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 128 + GetParam()) << outcome.err;
  EXPECT_EQ(outcome.signal, 0) << "it ended by itself";
  const Tensor part = array_of(folder / "o").clone();
  EXPECT_GE(part.size(0), 2);
  EXPECT_LT(part.size(0), 40);
  EXPECT_NE(read_file(folder / "o/run.json").find("\"complete\": false"), std::string::npos);

  const Outcome again = sextant(long_run(folder / "o"));
  EXPECT_EQ(again.exit_code, 0) << again.err;
  ASSERT_EQ(sextant(long_run(folder / "whole")).exit_code, 0);
  expect_beginning(part, array_of(folder / "whole"));
  // What the guide did in the interrupted part counts, too.
  const auto trace = [&](const char* out) {
    return nlohmann::json::parse(read_file(folder / out / "run.json")).at("trace").at(0);
  };
  EXPECT_EQ(trace("o").at("images"), 40);
  EXPECT_NEAR(trace("o").at("gradient_norm"), trace("whole").at("gradient_norm"), 1e-9);
  EXPECT_EQ(read_file(folder / "o/samples.npz"), read_file(folder / "whole/samples.npz"));
}

INSTANTIATE_TEST_SUITE_P(By, Stopped, ::testing::Values(SIGINT, SIGTERM, SIGUSR1), [](const auto& info) {
  return std::string(info.param == SIGINT ? "Interrupt" : info.param == SIGTERM ? "Terminate" : "BatchSystem");
});

TEST(Streams, ThatAreClosedTakeNothingFromTheImages) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(long_run(folder / "whole")).exit_code, 0);
  std::string command = SEXTANT_PROGRAM;
  for (const std::string& word : long_run(folder / "o")) command += " '" + word + "'";
  EXPECT_EQ(std::system((command + " <&- >&- 2>&-").c_str()), 0);
  EXPECT_EQ(read_file(folder / "o/samples.npz"), read_file(folder / "whole/samples.npz"));
}

TEST(Killed, RunContinuesWhereItWas) {
  const TemporaryFolder folder;
  for (int kills = 0; kills < 3; ++kills) {
    Program program(long_run(folder / "o"));
    ASSERT_TRUE(wait_for_first_batch(folder / "o"));
    program.signal(SIGKILL);
    EXPECT_EQ(program.finish().exit_code, 128 + SIGKILL);
    EXPECT_FALSE(fs::exists(folder / "o/samples.npz"));
  }
  ASSERT_EQ(sextant(long_run(folder / "o")).exit_code, 0);
  ASSERT_EQ(sextant(long_run(folder / "whole")).exit_code, 0);
  EXPECT_EQ(read_file(folder / "o/samples.npz"), read_file(folder / "whole/samples.npz"));
  EXPECT_EQ(read_file(folder / "o/gradient-norm.svg"), read_file(folder / "whole/gradient-norm.svg"));
}

TEST(Interrupted, RunRefusesToContinueWithOtherSettings) {
  const TemporaryFolder folder;
  Program program(long_run(folder / "o"));
  ASSERT_TRUE(wait_for_first_batch(folder / "o"));
  program.signal(SIGKILL);
  program.finish();
  std::vector<std::string> other = long_run(folder / "o");
  other.insert(other.end(), {"--scale", "2"});
  const Outcome outcome = sextant(other);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("[guidance] scale is 1.0 there and 2.0 here"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace sextant::cli::testing
