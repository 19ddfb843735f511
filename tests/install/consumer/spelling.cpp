// Compiled with words and enumerators spelt right and wrong: see CMakeLists.txt.
#include <sextant/guidance/guide.h>
#include <sextant/guidance/named_score.h>
using namespace sextant;

guidance::ScoreFunction score() { return guidance::named_score(SCORE); }

guidance::GuideConfig config() {
  guidance::GuideConfig config;
  config.gamma_max = guidance::GammaMax::GAMMA_MAX;
  return config;
}
