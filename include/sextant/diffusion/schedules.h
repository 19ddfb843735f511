// Noise schedules of discrete-time diffusion, and which of their timesteps a shorter run keeps (Ho et al. 2020; Nichol
// & Dhariwal 2021). Float64 numbers on the host.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sextant::diffusion {

/// How the noise grows: beta_t linearly (Ho et al. 2020), or abar_t as a squared cosine (Nichol & Dhariwal 2021).
enum class BetaSchedule { kLinear, kCosine };

/// beta_t in (0, 1] for T steps. UsageError for T < 1, and for a linear schedule with T < 20, whose last betas would
/// exceed 1.
std::vector<double> betas(BetaSchedule schedule, int64_t T);

/// The timesteps that a respacing keeps, ascending: "250" (evenly, both ends), "10,10,5" (the same in equal sections of
/// T) or "ddim50" (the smallest integer stride that gives exactly 50). Positions are rounded half to even after adding
/// the stride up, as the published samplers do. "last" keeps T - 1 alone, where x_T is pure noise and one step leads to
/// x0; "1" keeps 0, as they do. UsageError where that cannot be had.
std::vector<int64_t> space_timesteps(int64_t T, const std::string& sections);

/// A shorter process: betas with the same abar at the kept timesteps.
struct Respaced {
  std::vector<double> betas;
  std::vector<int64_t> timestep_map;  ///< original timestep of each respaced step
};
Respaced respace(const std::vector<double>& betas, const std::vector<int64_t>& kept);

}  // namespace sextant::diffusion
