// The launchers themselves, where the machine has them: processes that they start draw and score one run.
#include <cstdlib>

#include "cli/program.h"
#include "internal/runtime/files.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;

struct Launcher {
  const char* name;
  const char* there;  ///< a command of the shell that succeeds where it can be used
  const char* start;  ///< what stands before the program to start it twice
};

// Debian 12's torchrun ends in an error of its own. srun would ask somebody's cluster.
constexpr Launcher kLaunchers[] = {
    {"torchrun", "timeout 60 torchrun --nproc_per_node 1 --no_python true", "torchrun --nproc_per_node 2 --no_python"},
    {"mpirun", "command -v mpirun",
     "env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 mpirun -n 2"},
};

int shell(const std::string& command) { return std::system(command.c_str()); }

class Launchers : public ::testing::TestWithParam<Launcher> {
 protected:
  void SetUp() override {
    if (shell(GetParam().there + std::string(" >/dev/null 2>&1")) != 0)
      GTEST_SKIP() << GetParam().name << " is not here";
  }

  void launch(const std::vector<std::string>& words, const std::string& printed) const {
    std::string command = std::string("OMP_NUM_THREADS=1 timeout 300 ") + GetParam().start + " " + SEXTANT_PROGRAM;
    for (const std::string& word : words) command += " '" + word + "'";
    const std::string log = folder_ / printed;
    EXPECT_EQ(shell(command + " >" + log + " 2>" + log + ".err"), 0) << read_file(log + ".err");
  }

  const TemporaryFolder folder_;
};

TEST_P(Launchers, DrawTheBytesOfOneProcessAndScoreThemAlike) {
  const auto run = [&](const char* out) {
    return small_run(folder_ / out, {"--count", "21", "--batch", "4", "--threads", "1"});
  };
  ASSERT_EQ(sextant(run("one")).exit_code, 0);
  launch(run("several"), "drawn");
  EXPECT_EQ(read_file(folder_ / "several/samples.npz"), read_file(folder_ / "one/samples.npz"));

  // Scoring needs the processes to find each other, drawing only the folder.
  const std::vector<std::string> score = {"evaluate",        folder_ / "one",
                                          "--reference",     bundled("mnist-features") + "/reference_train.npz",
                                          "--features",      bundled("mnist-features"),
                                          "--metrics",       "fid",
                                          "--bootstrap",     "0",
                                          "--bootstrap-fid", "0",
                                          "--threads",       "1"};
  launch(score, "scored");
  const std::string alone = sextant(score).out;
  const std::string scored = read_file(folder_ / "scored");
  EXPECT_NE(scored.find(alone.substr(alone.find("FID"), alone.find('\n', alone.find("FID")) - alone.find("FID"))),
            std::string::npos)
      << scored << alone;
}

/// As mpirun starts them, each behind a program of its own, which need not hand on signals or its place.
TEST(Wrapped, ProcessesOfALauncherMeet) {
  const TemporaryFolder folder;
  ASSERT_EQ(sextant(small_run(folder / "o", {"--count", "8"})).exit_code, 0);
  std::string command;
  for (const char* rank : {"0", "1"}) {
    command += std::string("env SEXTANT_TIMEOUT=60 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_SIZE=2") +
               " OMPI_COMM_WORLD_RANK=" + rank + " OMPI_COMM_WORLD_LOCAL_RANK=" + rank + " timeout 100 sh -c \"'" +
               SEXTANT_PROGRAM + "' evaluate '" + (folder / "o").string() + "' --features '" +
               bundled("mnist-features") + "' --metrics is --threads 1 --quiet; exit \\$?\" >'" +
               (folder / rank).string() + "' 2>&1 & p" + rank + "=$!; ";
  }
  EXPECT_EQ(shell(command + "wait $p0 && wait $p1"), 0) << read_file(folder / "0") << read_file(folder / "1");
  EXPECT_NE(read_file(folder / "0").find("Inception Score"), std::string::npos) << read_file(folder / "0");
}

INSTANTIATE_TEST_SUITE_P(All, Launchers, ::testing::ValuesIn(kLaunchers),
                         [](const auto& launcher) { return launcher.param.name; });

}  // namespace
}  // namespace sextant::cli::testing
