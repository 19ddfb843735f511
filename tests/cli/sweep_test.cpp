#include <csignal>

#include "cli/program.h"
#include "internal/runtime/files.h"
#include "sextant/report/drawing.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string recipe_text() {
  return "[sweep]\njudge = \"" + bundled("mnist-features") + "\"\nreference = \"" + bundled("mnist-features") +
         "/reference_train.npz\"\nthreads = 1\n[sample]\nlabels = \"0-9\"\ncount = 10\nbatch = 5\n[model]\nmodel = \"" +
         bundled("mnist-adm") + "\"\n[classifier]\nclassifier = \"" + bundled("mnist-classifier") +
         "\"\n[sampler]\nsteps = 5\n[[columns]]\nname = \"told\"\n[[columns]]\nname = \"untold\"\n"
         "model.unconditional = true\n[[rows]]\nname = \"none\"\nguidance.guidance = \"none\"\nskip = [\"untold\"]\n"
         "[[rows]]\nname = \"js\"\nguidance.guidance = \"js\"\n";
}

std::vector<std::string> sweep_words(const TemporaryFolder& folder) {
  write_atomically(folder / "r.toml", recipe_text());
  return {"sweep", folder / "r.toml", "--out", folder / "o"};
}

TEST(Sweep, MakesATableAndAPictureOfItsRuns) {
  const TemporaryFolder folder;
  const Outcome outcome = sextant(sweep_words(folder));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("3 of 3 runs"), std::string::npos) << outcome.out;
  EXPECT_EQ(array_of(folder / "o/js-untold").size(0), 10);
  EXPECT_FALSE(fs::exists(folder / "o/none-untold"));
  EXPECT_EQ(fs::exists(folder / "o/overview.png"), report::can_draw());

  const json results = json::parse(read_file(folder / "o/run.json"))["results"];
  ASSERT_EQ(results.size(), 3);
  for (const json& result : results) {
    EXPECT_EQ(result["images"], 10);
    EXPECT_GE(result["accuracy"].get<double>(), 0);
    EXPECT_GT(result["frechet_distance"].get<double>(), 0);
    EXPECT_GT(result["seconds_per_image"].get<double>(), 0);
  }
  EXPECT_EQ(results[0]["gradient_norm"], 0);
  EXPECT_GT(results[1]["gradient_norm"].get<double>(), 0);
  EXPECT_NE(read_file(folder / "o/table.md").find("| js"), std::string::npos);
}

TEST(Sweep, ContinuesAfterAStop) {
  const TemporaryFolder folder;
  std::vector<std::string> words = sweep_words(folder);
  words.insert(words.end(), {"--steps", "20"});
  Program program(words);
  ASSERT_TRUE(wait_for_first_batch(folder / "o/none-told"));
  program.signal(SIGINT);
  EXPECT_EQ(program.finish().exit_code, 130);
  const Outcome outcome = sextant(words);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("3 of 3 runs"), std::string::npos);
}

TEST(Sweep, NamesTheRowThatIsWrong) {
  const TemporaryFolder folder;
  for (const auto& [more, message] : std::vector<std::pair<std::string, std::string>>{
           {"guidance.alhpa = 1\n", "r.toml: row 'js': unknown key 'alhpa' in [guidance]"},
           {"guidance.classifier = 1\n",
            "r.toml: row 'js': unknown key 'classifier' in [guidance]; it belongs in [classifier]\n"},
           {"skip = [\"tolt\"]\n", "row 'js' skips 'tolt', which is no column"},
           {"[[rows]]\nname = \"last\"\nsample.labels = \"x\"\n", "last, told: --labels 'x'"},
           {"[[rows]]\nname = \"last\"\nsample.batch = 3\nguidance.tilt = 1\nguidance.tilt-group = 2\n",
            "last, told: --batch 3 must be a multiple of --tilt-group 2"},
           {"[[rows]]\nname = \"js\"\n", "two entries called 'js'"},
           {"[[rows]]\n", "every [[rows]] needs a name"},
       }) {
    write_atomically(folder / "r.toml", recipe_text() + more);
    const Outcome outcome = sextant({"sweep", folder / "r.toml", "--out", folder / "o"});
    EXPECT_EQ(outcome.exit_code, 2) << more;
    EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
    EXPECT_FALSE(fs::exists(folder / "o/none-told")) << "a run before the mistake was found";
  }
}

TEST(Sweep, SaysWhereAMisplacedSettingBelongs) {
  const TemporaryFolder folder;
  const std::string rest = "[[rows]]\nname = \"a\"\n";
  for (const auto& [recipe, message] : std::vector<std::pair<std::string, std::string>>{
           {"baseline = \"a\"\n", "key 'baseline' stands in no table; it belongs in [sweep]"},
           {"reference = \"a\"\n", "key 'reference' stands in no table; it belongs in [sweep] or [evaluate]"},
           {"features = \"a\"\n", "key 'features' stands in no table; it belongs in [evaluate]"},
           {"[sample]\nclassifier = \"a\"\n",
            "unknown key 'classifier' in [sample]; it belongs in [classifier] or [evaluate]"},
           {"[sample]\nbaseline = \"a\"\n", "unknown key 'baseline' in [sample]; it belongs in [sweep]"},
           {"[sweep]\nbatch = 3\n", "unknown key 'batch' in [sweep]; it belongs in [sample] or [evaluate]"},
           {"[[colunms]]\nname = \"b\"\n",
            "unknown table [colunms]; sweep reads [sample], [model], [classifier], [guidance], [sampler], [share], "
            "[sweep], [evaluate], [axes], [[rows]], [[columns]]. Did you mean '[columns]'?"},
           {"seeds = [1]\n[sweep]\nseeds = [1]\n", "has seeds twice, also in [sweep]"}}) {
    write_atomically(folder / "r.toml", recipe + rest);
    const Outcome outcome = sextant({"sweep", folder / "r.toml", "--out", folder / "o"});
    EXPECT_EQ(outcome.exit_code, 2) << recipe;
    const std::string file = (folder / "r.toml").string();
    const std::string between = message.starts_with("has") ? " " : ": ";
    EXPECT_EQ(outcome.err, "sextant sweep: " + file + between + message + "\n");
  }
}

}  // namespace
}  // namespace sextant::cli::testing
