// Which of how many processes this one is, as the launcher says in the environment.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sextant::distributed {

struct World {
  int64_t rank = 0;           ///< 0, ..., size - 1
  int64_t size = 1;           ///< at least 1
  int64_t local_rank = 0;     ///< among the processes of this machine
  int64_t local_size = 1;     ///< processes of this machine; 1 where the launcher does not say
  std::string launcher;       ///< "torchrun", "mpirun", "srun" or kByHand; empty without one
  std::string variable = {};  ///< of the environment, in which the launcher says the rank
};

/// The launcher of processes that settings number.
inline constexpr char kByHand[] = "world-size";

/// Value of an environment variable; nothing where it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

Environment process_environment();

/// Reads, in this order, the variables of the command line's own settings (SEXTANT_RANK, SEXTANT_WORLD_SIZE, and
/// SEXTANT_LOCAL_ before either), torchrun (RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE), Open MPI
/// (OMPI_COMM_WORLD_*), PMI as MPICH, Intel MPI and Cray set it (PMI_RANK, PMI_SIZE), and of Slurm's srun (SLURM_PROCID
/// and SLURM_STEP_NUM_TASKS, which a batch script outside srun lacks). One process where none is set. UsageError, with
/// the variable's name, for half a pair and for numbers that contradict each other.
World world_of(const Environment& environment);

}  // namespace sextant::distributed
