#include "internal/distributed/world.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "sextant/runtime/error.h"

namespace sextant::distributed {
namespace {

struct Launcher {
  const char* name;
  const char* rank;
  const char* size;
  const char* local_rank;
  const char* local_size;
};

constexpr Launcher kLaunchers[] = {
    {kByHand, "SEXTANT_RANK", "SEXTANT_WORLD_SIZE", "SEXTANT_LOCAL_RANK", "SEXTANT_LOCAL_WORLD_SIZE"},
    {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"},
    {"mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE"},
    {"mpirun", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"},
    {"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", nullptr},
};

int64_t number(const char* name, const std::string& text, int64_t least = 0) {
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least) {
    throw UsageError(std::string("environment variable ") + name + " must be a number from " + std::to_string(least) +
                     ", got '" + text + "'");
  }
  return value;
}

/// Slurm counts the tasks of each node as "4(x2),3": those of this node are known only where all nodes have as many.
int64_t slurm_local_size(const Environment& environment) {
  const std::optional<std::string> text = environment("SLURM_STEP_TASKS_PER_NODE");
  if (!text || text->find(',') != std::string::npos) return 1;
  return number("SLURM_STEP_TASKS_PER_NODE", text->substr(0, text->find('(')), 1);
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  };
}

World world_of(const Environment& environment) {
  for (const Launcher& launcher : kLaunchers) {
    const auto rank = environment(launcher.rank);
    const auto size = environment(launcher.size);
    const bool srun = launcher.local_size == nullptr;
    if (!size) continue;  // SLURM_PROCID alone is a batch script's, RANK alone anybody's
    // srun speaks PMI to its tasks, too; mpirun within a job of Slurm says how many it starts on each machine.
    const bool of_srun = std::string_view(launcher.rank) == "PMI_RANK" && !environment(launcher.local_rank) &&
                         environment("SLURM_STEP_NUM_TASKS") == size;
    if (of_srun) continue;
    if (!rank) throw UsageError(std::string(launcher.size) + " is set and " + launcher.rank + " is not; set both");
    World world;
    world.launcher = launcher.name;
    world.variable = launcher.rank;
    world.rank = number(launcher.rank, *rank);
    world.size = number(launcher.size, *size);
    if (const auto local = environment(launcher.local_rank)) world.local_rank = number(launcher.local_rank, *local);
    if (srun) {
      world.local_size = slurm_local_size(environment);
    } else if (const auto local = environment(launcher.local_size)) {
      world.local_size = number(launcher.local_size, *local, 1);
    }
    if (world.rank >= world.size) {
      throw UsageError(std::string(launcher.rank) + " = " + *rank + " must be below " + launcher.size + " = " + *size);
    }
    return world;
  }
  return {};
}

}  // namespace sextant::distributed
