#include "common/run_options.h"
#include "internal/commands/sweep.h"

namespace sextant::commands {

std::vector<OptionGroup> sweep_options(SweepConfig& c) {
  return {
      {"sweep",
       "The grid and its judge",
       {
           {"--title", &c.title, Anything{}, "Title of the picture", "TEXT"},
           {"--seeds", &c.seeds, Anything{},
            "Seeds of every run, such as 0,1,2: the table has mean and spread; left out the recipe's one seed", "LIST"},
           {"--baseline", &c.baseline, Anything{},
            "Row that the others are compared with on the same noise; left out the first", "ROW"},
           {"--judge", &c.judge, Anything{},
            "Feature network that reads the images, not the guide; a recipe's [evaluate] does more", "PATH"},
           {"--reference", &c.reference, Anything{},
            "Statistics of the judge's features, or images, for the Frechet distance", "PATH"},
           out_option(c.run, "table.md, table.csv, table.tex, overview.png, run.json and the runs"),
           {"--ledger", &c.ledger, Anything{},
            "SQLite file that keeps what was drawn and scored, for any number of sweeps; left out ledger.sqlite in "
            "--out",
            "FILE"},
           {"--count", &c.count, Range{0, 1e9}, "Images per run; 0 is what the recipe says", ""},
           {"--steps", &c.steps, Range{0, 1e6}, "Steps of every run; 0 is what the recipe says", ""},
           {"--device",
            Choice{[&c] { return c.device ? device_word(*c.device) : ""; },
                   [&c](const std::string& text) {
                     c.device = text.empty() ? std::nullopt : std::optional(parse_device_choice(text));
                   }},
            Anything{}, "Device of every run; empty is what the recipe says", "NAME"},
           threads_option(c.run),
           {"--picture-images", &c.picture_images, Range{1, 1e4}, "Images of each run in overview.png", ""},
           {"--dry-run", &c.dry_run, Anything{},
            "Only list the runs: what is there, what is missing, and by a measured step what the rest would take", ""},
           format_option(&c.format, /*latex=*/true),
           overwrite_option(c.run, "Replace the samples of other settings in --out"),
           quiet_option(c.run),
       }}};
}

}  // namespace sextant::commands
