// Compiled with words and enumerators spelt right and wrong: see CMakeLists.txt.
#include <sextant/diffusion/process.h>
#include <sextant/guidance/guide.h>
#include <sextant/guidance/score.h>
using namespace sextant;

guidance::ScoreFunction score() { return guidance::named_score(SCORE); }

guidance::GuideConfig config() {
  guidance::GuideConfig config;
  config.gamma_max = guidance::GammaMax::GAMMA_MAX;
  return config;
}

diffusion::ProcessConfig process() {
  diffusion::ProcessConfig config;
  config.schedule = diffusion::BetaSchedule::SCHEDULE;
  return config;
}
