#include "common/run_options.h"
#include "internal/commands/theory.h"

namespace sextant::commands {

std::vector<OptionGroup> theory_options(TheoryConfig& c) {
  return {{"theory",
           "The mixture, and where it is looked at",
           {
               {"--model", &c.model, Anything{},
                "Folder of a mixture, a config.json of type mixture; of several, with commas between, the divergences "
                "are compared",
                "PATH"},
               {"--count", &c.count, c.kCount, "Exact draws that every number is a mean over", ""},
               {"--seed", &c.seed, Range{0, kUnlimited}, "Seed of them", ""},
               {"--alpha", &c.alpha, c.kAlpha, "Divergence weight, eq. (7)", ""},
               {"--epsilon", &c.epsilon, c.kEpsilon, "Extra mass of the divergence's target, eq. (76)", ""},
               {"--alpha-bar", &c.alpha_bar, c.kAlphaBar,
                "alpha_cumprod of the points x_t of gamma and divergences; 1 is clean", ""},
               out_option(c.run, "theory.json and the charts"),
               threads_option(c.run),
               quiet_option(c.run),
           }}};
}

}  // namespace sextant::commands
