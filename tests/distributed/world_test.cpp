#include "internal/distributed/world.h"

#include <gtest/gtest.h>

#include "environment.h"
#include "sextant/runtime/error.h"

namespace sextant::distributed {
namespace {

TEST(World, IsOneProcessWithoutALauncher) {
  const World world = world_of(environment({{"HOME", "/root"}}));
  EXPECT_EQ(world.rank, 0);
  EXPECT_EQ(world.size, 1);
  EXPECT_EQ(world.launcher, "");
}

TEST(World, OfTorchrunIsReadWithItsPlaceOnTheMachine) {
  const World world =
      world_of(environment({{"RANK", "9"}, {"WORLD_SIZE", "16"}, {"LOCAL_RANK", "1"}, {"LOCAL_WORLD_SIZE", "8"}}));
  EXPECT_EQ(world.launcher, "torchrun");
  EXPECT_EQ(world.rank, 9);
  EXPECT_EQ(world.size, 16);
  EXPECT_EQ(world.local_rank, 1);
  EXPECT_EQ(world.local_size, 8);
}

TEST(World, OfOpenMpiAndOfMpichIsRead) {
  const World open = world_of(environment({{"OMPI_COMM_WORLD_RANK", "1"},
                                           {"OMPI_COMM_WORLD_SIZE", "2"},
                                           {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                                           {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}}));
  EXPECT_EQ(open.rank, 1);
  EXPECT_EQ(open.local_size, 2);
  const World mpich = world_of(environment({{"PMI_RANK", "3"}, {"PMI_SIZE", "4"}, {"MPI_LOCALRANKID", "3"}}));
  EXPECT_EQ(mpich.rank, 3);
  EXPECT_EQ(mpich.size, 4);
  EXPECT_EQ(mpich.launcher, "mpirun");
}

TEST(World, OfSrunIsItsStepAndABatchScriptIsOneProcess) {
  const World step = world_of(environment({{"SLURM_PROCID", "5"},
                                           {"SLURM_STEP_NUM_TASKS", "8"},
                                           {"SLURM_LOCALID", "1"},
                                           {"SLURM_STEP_TASKS_PER_NODE", "4(x2)"}}));
  EXPECT_EQ(step.launcher, "srun");
  EXPECT_EQ(step.rank, 5);
  EXPECT_EQ(step.local_size, 4);
  EXPECT_EQ(world_of(environment({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}})).size, 1);
}

TEST(World, OfSrunWithPmiIsSrunsAndOfMpirunWithinAJobOfSlurmIsMpiruns) {
  std::map<std::string, std::string> both = {{"PMI_RANK", "5"},      {"PMI_SIZE", "8"},
                                             {"SLURM_PROCID", "5"},  {"SLURM_STEP_NUM_TASKS", "8"},
                                             {"SLURM_LOCALID", "1"}, {"SLURM_STEP_TASKS_PER_NODE", "4(x2)"}};
  const World srun = world_of(environment(both));
  EXPECT_EQ(srun.launcher, "srun");
  EXPECT_EQ(srun.local_rank, 1);
  EXPECT_EQ(srun.local_size, 4);
  both["SLURM_STEP_NUM_TASKS"] = "2";  // the proxies of mpirun, one for each machine
  both["MPI_LOCALRANKID"] = "3";
  const World mpirun = world_of(environment(both));
  EXPECT_EQ(mpirun.launcher, "mpirun");
  EXPECT_EQ(mpirun.local_rank, 3);
}

TEST(World, HasAProcessOnEachOfItsMachines) {
  EXPECT_THROW(world_of(environment({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"LOCAL_WORLD_SIZE", "0"}})), UsageError);
  EXPECT_THROW(
      world_of(environment({{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_STEP_TASKS_PER_NODE", "0"}})),
      UsageError);
}

TEST(World, ThatContradictsItselfNamesTheVariable) {
  const auto message = [](std::map<std::string, std::string> variables) -> std::string {
    try {
      world_of(environment(std::move(variables)));
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message({{"RANK", "2"}, {"WORLD_SIZE", "2"}}), "RANK = 2 must be below WORLD_SIZE = 2");
  EXPECT_EQ(message({{"WORLD_SIZE", "2"}}), "WORLD_SIZE is set and RANK is not; set both");
  EXPECT_EQ(message({{"RANK", "one"}, {"WORLD_SIZE", "2"}}),
            "environment variable RANK must be a number from 0, got 'one'");
}

}  // namespace
}  // namespace sextant::distributed
