// `sextant runs`, and `sextant inspect` of a recipe.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli/program.h"
#include "internal/ledger/ledger.h"
#include "internal/runtime/files.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A ledger of three runs: two done, both under cells of a sweep, the first of them under two and with images, and one
/// that failed.
void write_ledger(const fs::path& folder) {
  ledger::Ledger ledger(folder / "ledger.sqlite");
  const auto add = [&](const std::string& key, double alpha, ledger::State state) {
    ledger::Run run;
    run.key = key;
    run.folder = (folder / key).string();
    run.images = 10;
    run.state = state;
    run.log = state == ledger::State::kFailed ? "a note\nthere is no weights.pt" : "";
    run.settings = {{"sample", {{"seed", 4}}}, {"guidance", {{"alpha", alpha}, {"guidance", "js"}}}};
    run.weights = {{"model", "abc"}};
    run.versions = json::object();
    return ledger.find_or_add(run).id;
  };
  const int64_t first = add("first", 0.1, ledger::State::kDone);
  ledger.put_scores(first, "judge", 10, {{"fid", 12.5, {}, {}, {}}});
  const int64_t second = add("second", 0.2, ledger::State::kDone);
  ledger.put_scores(second, "judge", 10, {{"fid", 11.5, {}, {}, {}}});
  add("third", 0.3, ledger::State::kFailed);
  ledger.put_sweep({0, "", fs::weakly_canonical(folder / "out").string(), {}, ""},
                   {{"the row", "", 4, first, 10, "judge", json::object()},
                    {"alpha 0.2, epsilon 0.1", "", 4, second, 10, "judge", json::object()},
                    {"its double", "x_t", 4, first, 10, "judge", json::object()}});
  write_atomically(folder / "first/samples.npz", "");
}

class Runs : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "first");
    write_ledger(folder_.path());
  }
  Outcome runs(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"runs", folder_.path().string()});
    return sextant(more);
  }
  json listed(std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--format", "json"});
    const Outcome outcome = runs(more);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return json::parse(outcome.out);
  }
  TemporaryFolder folder_;
};

TEST_F(Runs, AreListedWithStateScoresAndWhyTheyFailed) {
  const Outcome outcome = runs();
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* text : {"the row", "12.5000", "11.5000", "failed", "there is no weights.pt"}) {
    EXPECT_NE(outcome.out.find(text), std::string::npos) << text << outcome.out;
  }
  EXPECT_EQ(outcome.out.find("a note"), std::string::npos) << "the last line says why";
}

TEST_F(Runs, AreFilteredByWhatTheyAre) {
  EXPECT_EQ(listed().size(), 3);
  EXPECT_EQ(listed({"--where", "state=done"}).size(), 2);
  EXPECT_EQ(listed({"--where", "state=done,alpha=0.2"})[0]["scores"]["fid"], 11.5);
  EXPECT_EQ(listed({"--where", "guidance.alpha=0.1"})[0]["row"], "the row");
  EXPECT_TRUE(listed({"--where", "seed=5"}).empty());
  EXPECT_EQ(listed({"--where", "row=alpha 0.2, epsilon 0.1,state=done"})[0]["scores"]["fid"], 11.5);
  const Outcome wrong = runs({"--where", "alhpa=1"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("no run has a 'alhpa'. Did you mean 'alpha'?"), std::string::npos) << wrong.err;
}

TEST_F(Runs, AreFoundByEachCellThatStandsOnThem) {
  const json doubled = listed({"--where", "row=its double"});
  ASSERT_EQ(doubled.size(), 1);
  EXPECT_EQ(doubled[0]["row"], "its double") << "the cell that was asked for";
  EXPECT_EQ(doubled[0]["cells"].size(), 2);
  EXPECT_EQ(doubled[0]["scores"]["fid"], 12.5);
  EXPECT_EQ(listed({"--where", "row=its double,column=x_t"}).size(), 1);
  EXPECT_TRUE(listed({"--where", "row=the row,column=x_t"}).empty()) << "no one cell is both";
}

TEST_F(Runs, AreFoundByTheFolderOfTheirSweepHoweverItIsWritten) {
  for (const char* written : {"out", "out/", "first/../out"}) {
    EXPECT_EQ(listed({"--where", "sweep=" + (folder_ / written).string()}).size(), 2) << written;
  }
  const fs::path relative = fs::relative(folder_ / "out");
  EXPECT_EQ(listed({"--where", "sweep=" + relative.string()}).size(), 2) << relative;
  EXPECT_EQ(listed({"--where", "sweep="}).size(), 1) << "no sweep stands on the one that failed";
}

TEST_F(Runs, AreInNoStateThatThereIsNot) {
  const Outcome outcome = runs({"--where", "state=dne"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.err,
            "sextant runs: --where: no run can be in the state 'dne', only new, drawing, done or failed. Did you mean "
            "'done'?\n");
}

TEST_F(Runs, AreComparedTwoByTwo) {
  const Outcome outcome = runs({"--compare", "1,2", "--format", "csv"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("guidance.alpha,0.1,0.2\r\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("fid,12.5,11.5\r\n"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("guidance.guidance"), std::string::npos) << "what is the same is left out";
  EXPECT_NE(runs({"--compare", "1,9"}).err.find("there is no run '9'"), std::string::npos);
}

TEST_F(Runs, AreExportedWhole) {
  ASSERT_EQ(runs({"--to", folder_ / "export.json"}).exit_code, 0);
  const json runs_there = json::parse(read_file(folder_ / "export.json"));
  ASSERT_EQ(runs_there.size(), 3);
  EXPECT_EQ(runs_there[0]["settings"]["guidance"]["alpha"], 0.1);
  EXPECT_EQ(runs_there[0]["weights"]["model"], "abc");
  ASSERT_EQ(runs({"--to", folder_ / "export.csv"}).exit_code, 0);
  const std::string csv = read_file(folder_ / "export.csv");
  EXPECT_EQ(csv.find("id,row,column,sweep,seed,state,images,seconds_per_image,gradient_norm,changed,folder,log,fid,"),
            0)
      << csv;
  EXPECT_NE(csv.find(",guidance.alpha"), std::string::npos) << csv;
  EXPECT_EQ(runs({"--format", "csv"}).out, csv);
  EXPECT_EQ(runs({"--to", folder_ / "export.txt"}).exit_code, 2);
}

TEST_F(Runs, ArePrunedByWhatTheyLack) {
  EXPECT_EQ(listed({"--prune", "failed"}).size(), 2);
  EXPECT_EQ(listed().size(), 2);
  EXPECT_EQ(listed({"--prune", "gone"}).size(), 1) << "the second has no samples.npz";
  EXPECT_EQ(listed({"--prune", "unused"})[0]["row"], "the row") << "a cell stands on it";
  EXPECT_TRUE(fs::exists(folder_ / "first/samples.npz"));
}

TEST_F(Runs, ThatASweepIsAtAreNotPruned) {
  fs::create_directories(folder_ / "second");
  const int claim = open((folder_ / "second/.drawing").c_str(), O_RDWR | O_CREAT, 0666);
  ASSERT_EQ(flock(claim, LOCK_EX), 0);
  const Outcome busy = runs({"--prune", "gone"});
  EXPECT_NE(busy.err.find("0 runs forgotten, 3 listed, of which a sweep is drawing or scoring 1"), std::string::npos)
      << busy.err;
  close(claim);
  EXPECT_EQ(listed({"--prune", "gone"}).size(), 2) << "whose process has ended";
}

TEST_F(Runs, ThatTheirSweepHasYetToBeginAreNotGone) {
  {
    ledger::Ledger ledger(folder_ / "ledger.sqlite");
    ledger::Run run = *ledger.find("second");
    run.state = ledger::State::kNew;
    run.images = 0;
    ledger.update(run);
  }
  fs::create_directories(folder_ / "out");
  EXPECT_EQ(listed({"--prune", "gone"}).size(), 3);
  fs::remove(folder_ / "out");
  EXPECT_EQ(listed({"--prune", "gone"}).size(), 2) << "nobody will begin it";
}

TEST(RunsOf, AMissingLedgerSayWhereOneIs) {
  const TemporaryFolder folder;
  const Outcome outcome = sextant({"runs", folder.path().string()});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("there is no ledger "), std::string::npos) << outcome.err;
}

TEST(InspectRecipe, ListsWhatIsMissingAndWhereToGetIt) {
  const TemporaryFolder folder;
  write_atomically(folder / "r.toml", "[model]\nmodel = \"128x128_diffusion.pt\"\n[classifier]\nclassifier = \"" +
                                          bundled("mnist-classifier") +
                                          "\"\n[[rows]]\nclassifier.classifier = \"resnet101-cd907fc2.pth,my.pt\"\n");
  const Outcome outcome = sextant({"inspect", "--recipe", folder / "r.toml", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  std::map<std::string, json> files;
  for (const json& file : json::parse(outcome.out)) files[file["path"]] = file;
  ASSERT_EQ(files.size(), 4);
  EXPECT_EQ(files[bundled("mnist-classifier")]["there"], true);
  EXPECT_EQ(files["128x128_diffusion.pt"]["there"], false);
  EXPECT_EQ(files["128x128_diffusion.pt"]["address"],
            "https://openaipublic.blob.core.windows.net/diffusion/jul-2021/128x128_diffusion.pt");
  EXPECT_EQ(files["resnet101-cd907fc2.pth"]["sha256"], "cd907fc2...");
  EXPECT_FALSE(files["my.pt"].contains("address"));
  const Outcome page = sextant({"inspect", "--recipe", folder / "r.toml"});
  EXPECT_NE(page.out.find("3 of 4 files are missing"), std::string::npos) << page.out;
}

TEST(InspectRecipe, CountsInSentences) {
  const TemporaryFolder folder;
  const std::string there = "model = \"" + bundled("mnist-adm") + "\"\n";
  const auto last_line = [&](const std::string& recipe) {
    write_atomically(folder / "r.toml", recipe);
    const std::string out = sextant({"inspect", "--recipe", folder / "r.toml"}).out;
    return out.substr(out.rfind('\n', out.size() - 2) + 1);
  };
  EXPECT_EQ(last_line("[sampler]\nsteps = 3\n"), "the recipe names no files\n");
  EXPECT_EQ(last_line("[model]\n" + there), "nothing is missing\n");
  EXPECT_EQ(last_line("[model]\nmodel = \"a.pt\"\n"), "the only file is missing\n");
  EXPECT_EQ(last_line("[model]\n" + there + "[classifier]\nclassifier = \"b.pt\"\n"), "1 of 2 files is missing\n");
}

TEST(InspectRecipe, KnowsEveryFileOfTheRecipesThatIsPublished) {
  const std::string known = read_file(sextant::testing::source_dir() / "docs/checkpoints.md");
  int64_t published = 0;
  for (const char* folder : {"recipes", "recipes/figures", "recipes/paper"}) {
    for (const auto& entry : fs::directory_iterator(sextant::testing::source_dir() / folder)) {
      if (entry.path().extension() != ".toml") continue;
      const Outcome outcome = sextant({"inspect", "--recipe", entry.path().string(), "--json"});
      ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
      for (const json& file : json::parse(outcome.out)) {
        const std::string path = file["path"];
        // What is bundled, what another recipe makes, and images that only those who register get.
        if (path.starts_with("models/") || path.starts_with("out/") || path == "ILSVRC2012/val") continue;
        ASSERT_TRUE(file.contains("address")) << entry.path() << ": " << path;
        ++published;
        const std::string sha = file.value("sha256", std::string());
        EXPECT_NE(known.find("| `" + path + "` | " + file["size"].get<std::string>() + " | <" +
                             file["address"].get<std::string>() + "> | " + (sha.empty() ? "" : "`" + sha + "`") + " |"),
                  std::string::npos)
            << path;
      }
    }
  }
  EXPECT_GT(published, 80);
}

}  // namespace
}  // namespace sextant::cli::testing
