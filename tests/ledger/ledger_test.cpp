#include "internal/ledger/ledger.h"

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "database.h"
#include "internal/runtime/files.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/golden.h"

namespace sextant::ledger {
namespace {

using sextant::testing::message_of;
using sextant::testing::TemporaryFolder;
using sextant::testing::write_bytes;

Run a_run(const std::string& key) {
  Run run;
  run.key = key;
  run.folder = "/somewhere";
  run.settings = {{"sample", {{"seed", 3}}}};
  run.weights = {{"model", "abc"}};
  run.versions = nlohmann::json::object();
  return run;
}

TEST(Ledger, KeepsRunsScoresAndCells) {
  const TemporaryFolder folder;
  int64_t id = 0;
  {
    Ledger ledger(folder / "l.sqlite");
    auto run = ledger.find_or_add(a_run("k"));
    id = run.id;
    run.images = 10;
    run.state = State::kDone;
    ledger.update(run);
    ledger.put_scores(id, "judge", 10, {{"fid", 1.5, {}, 1.0, 2.0}, {"accuracy", 0.5, 0.1, {}, {}}});
    ledger.put_sweep({0, "title", "/out", {{"rows", 1}}, ""}, {{"row", "", 7, id, 10, "judge", {{"fid", 1.4}}}});
  }
  const Ledger ledger(folder / "l.sqlite");
  const auto run = *ledger.run(id);
  EXPECT_EQ(run.images, 10);
  EXPECT_EQ(run.state, State::kDone);
  EXPECT_EQ(run.settings["sample"]["seed"], 3);
  const std::vector<Score> scores = ledger.scores(id, "judge", 10);
  ASSERT_EQ(scores.size(), 2);
  EXPECT_EQ(scores[0].metric, "fid");
  EXPECT_EQ(scores[0].high, 2.0);
  EXPECT_FALSE(scores[0].deviation);
  EXPECT_TRUE(ledger.scores(id, "judge", 20).empty()) << "scores of ten images are not those of twenty";
  const std::vector<Cell> cells = ledger.cells(ledger.sweeps().at(0).id);
  ASSERT_EQ(cells.size(), 1);
  EXPECT_EQ(cells[0].seed, 7);
  EXPECT_EQ(cells[0].paper["fid"], 1.4);
}

TEST(Ledger, GivesOneRunForOneKey) {
  const TemporaryFolder folder;
  Ledger one(folder / "l.sqlite");
  Ledger two(folder / "l.sqlite");
  EXPECT_EQ(one.find_or_add(a_run("k")).id, two.find_or_add(a_run("k")).id);
  EXPECT_NE(one.find_or_add(a_run("k")).id, two.find_or_add(a_run("other")).id);
  EXPECT_EQ(two.runs().size(), 2);
}

TEST(Ledger, ForgetsScoresAndCellsWithTheirRun) {
  const TemporaryFolder folder;
  Ledger ledger(folder / "l.sqlite");
  const int64_t id = ledger.find_or_add(a_run("k")).id;
  ledger.put_scores(id, "judge", 10, {{"fid", 1.5, {}, {}, {}}});
  const int64_t sweep = ledger.put_sweep({0, "", "/out", {}, ""}, {{"row", "", 0, id, 10, "", {}}});
  ledger.remove(id);
  EXPECT_FALSE(ledger.run(id));
  EXPECT_TRUE(ledger.cells(sweep).empty());
  EXPECT_EQ(ledger.find_or_add(a_run("k")).images, 0);
  EXPECT_TRUE(ledger.scores(id, "judge", 10).empty());
}

TEST(Ledger, KeepsARunFromWhatIsStoredOfAForgottenOne) {
  const TemporaryFolder folder;
  Ledger ledger(folder / "l.sqlite");
  auto forgotten = ledger.find_or_add(a_run("k"));
  ledger.remove(forgotten.id);
  const auto other = ledger.find_or_add(a_run("other"));
  ASSERT_EQ(other.id, forgotten.id) << "SQLite gives the number again";
  forgotten.images = 10;
  ledger.update(forgotten);
  EXPECT_EQ(ledger.run(other.id)->images, 0);
  EXPECT_FALSE(ledger.find("k"));
}

TEST(Ledger, IsSafeWithSeveralWriters) {
  const TemporaryFolder folder;
  constexpr int kWriters = 4;
  constexpr int kEach = 25;
  std::vector<pid_t> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.push_back(fork());
    if (writers.back() != 0) continue;
    try {
      Ledger ledger(folder / "l.sqlite");
      for (int i = 0; i < kEach; ++i) {
        auto run = ledger.find_or_add(a_run("shared" + std::to_string(i)));
        run.images = i;
        ledger.update(run);
        ledger.find_or_add(a_run(std::to_string(w) + "." + std::to_string(i)));
      }
      _exit(0);
    } catch (...) {
      _exit(1);
    }
  }
  for (const pid_t writer : writers) {
    int status = 0;
    waitpid(writer, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(Ledger(folder / "l.sqlite").runs().size(), kEach * (kWriters + 1));
}

TEST(Ledger, HashesAFileAgainOnlyWhenItChanged) {
  const TemporaryFolder folder;
  Ledger ledger(folder / "l.sqlite");
  static int computed = 0;
  const auto hash = [](const std::filesystem::path& path) {
    ++computed;
    return sextant::testing::read_bytes(path);
  };
  write_bytes(folder / "weights", "one");
  EXPECT_EQ(ledger.hash_of(folder / "weights", hash), "one");
  EXPECT_EQ(ledger.hash_of(folder / "weights", hash), "one");
  EXPECT_EQ(computed, 1);
  write_bytes(folder / "weights", "three");
  EXPECT_EQ(ledger.hash_of(folder / "weights", hash), "three");
}

TEST(Ledger, HashesAFolderAgainWhenALinkInItLeadsElsewhere) {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  Ledger ledger(folder / "l.sqlite");
  const auto hash = [](const fs::path& path) { return sextant::testing::read_bytes(path / "linked/image"); };
  for (const char* name : {"one", "three"}) {
    fs::create_directory(folder / name);
    write_bytes(folder / name / "image", name);
  }
  fs::create_directory(folder / "classes");
  for (const char* name : {"one", "three"}) {
    fs::remove(folder / "classes/linked");
    fs::create_directory_symlink(folder / name, folder / "classes/linked");
    EXPECT_EQ(ledger.hash_of(folder / "classes", hash), name);
  }
}

TEST(Ledger, OfANewerVersionIsRefusedInOneLine) {
  const TemporaryFolder folder;
  { const Ledger ledger(folder / "l.sqlite"); }
  { Database(folder / "l.sqlite").run("PRAGMA user_version = 9"); }
  EXPECT_EQ(message_of([&] { Ledger(folder / "l.sqlite"); }),
            "ledger " + (folder / "l.sqlite").string() +
                " is of version 9, made by a newer sextant; this one reads version 1: use the newer one or another "
                "file");
}

TEST(Ledger, ThatIsDamagedSaysWhatIsWrongInOneLine) {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& damage) {
    std::filesystem::remove(folder / "l.sqlite");
    const ledger::Run run = a_run("key");
    {
      Ledger ledger(folder / "l.sqlite");
      Cell cell;
      cell.run = ledger.find_or_add(run).id;
      ledger.put_sweep({}, {cell});
    }
    Database(folder / "l.sqlite").run(damage);
    const Ledger ledger(folder / "l.sqlite");
    return message_of([&] {
      ledger.runs();
      for (const Sweep& sweep : ledger.sweeps()) ledger.cells(sweep.id);
    });
  };
  const std::string start = "ledger " + (folder / "l.sqlite").string() + " is damaged: it holds ";
  EXPECT_EQ(message("UPDATE runs SET settings = '{'"), start + "a record that is no JSON");
  EXPECT_EQ(message("UPDATE runs SET state = 7"), start + "a state that is none");
  EXPECT_EQ(message("UPDATE sweeps SET recipe = ''"), start + "a record that is no JSON");
  EXPECT_EQ(message("UPDATE cells SET seed = '-1'"), start + "a seed that is no number");
  EXPECT_EQ(message("UPDATE cells SET seed = '1'"), "");
}

TEST(Ledger, IsNotAnyFile) {
  const TemporaryFolder folder;
  write_bytes(folder / "text", std::string(5000, 'x'));
  EXPECT_EQ(message_of([&] { Ledger(folder / "text"); }),
            (folder / "text").string() + " is no ledger: it is no SQLite file");
  { Database(folder / "other.sqlite").run("CREATE TABLE t(x)"); }
  const std::string before = read_file(folder / "other.sqlite");
  EXPECT_EQ(message_of([&] { Ledger(folder / "other.sqlite"); }),
            (folder / "other.sqlite").string() + " is no ledger: it is an SQLite file of another program");
  EXPECT_EQ(read_file(folder / "other.sqlite"), before) << "it was changed";
}

TEST(Ledger, OfWhichTheTablesAreDamagedIsRefusedInOneLine) {
  const TemporaryFolder folder;
  const auto file = folder / "l.sqlite";
  { Ledger(file).find_or_add(a_run("k")); }
  {
    Database damaged(file);
    damaged.run("PRAGMA writable_schema = ON");
    damaged.run("UPDATE sqlite_schema SET sql = 'CREATE TABLE runs([id\n, key)' WHERE name = 'runs'");
  }
  EXPECT_EQ(message_of([&] { Ledger(file).runs(); }),
            "ledger " + file.string() + ": malformed database schema (runs) - unrecognized token: \"[id\\n, key)\"");
}

TEST(Ledger, RefusesSettingsThatAreNoTables) {
  const TemporaryFolder folder;
  for (const char* settings : {"[]", "5", "{\"sample\": 5}", "null"}) {
    const auto file = folder / "l.sqlite";
    std::filesystem::remove(file);
    { Ledger(file).find_or_add(a_run("k")); }
    { Database(file).run(std::string("UPDATE runs SET settings = '") + settings + "'"); }
    EXPECT_EQ(message_of([&] { Ledger(file).runs(); }),
              "ledger " + file.string() + " is damaged: it holds settings that are no tables");
  }
}

}  // namespace
}  // namespace sextant::ledger
