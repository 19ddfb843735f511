// Several processes of a launcher that compute one result: evaluate, calibrate, train, finetune, sweep.
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "cli/train_fixture.h"
#include "support/ports.h"

namespace sextant::cli::testing {
namespace {

using nlohmann::json;

/// The processes of a job that meets at a port of this machine.
std::vector<std::unique_ptr<Program>> job(int size, const Words& words, const std::string& timeout = "300") {
  setenv("MASTER_ADDR", "127.0.0.1", 1);
  setenv("MASTER_PORT", sextant::testing::free_port().c_str(), 1);
  setenv("SEXTANT_TIMEOUT", timeout.c_str(), 1);
  std::vector<std::unique_ptr<Program>> processes;
  for (int rank = 0; rank < size; ++rank) {
    const Rank environment(rank, size);
    processes.push_back(std::make_unique<Program>(words));
  }
  for (const char* name : {"MASTER_ADDR", "MASTER_PORT", "SEXTANT_TIMEOUT"}) unsetenv(name);
  return processes;
}

/// What the first process printed. The others print nothing.
std::string printed_by(int size, const Words& words) {
  std::vector<Outcome> outcomes;
  for (const auto& process : job(size, words)) outcomes.push_back(process->finish());
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  for (std::size_t i = 1; i < outcomes.size(); ++i) EXPECT_EQ(outcomes[i].out + outcomes[i].err, "");
  return outcomes.front().out;
}

std::string host() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

/// What was said beside the lines of training's steps.
std::string without_steps(const std::string& text) {
  std::istringstream lines(text);
  std::string rest;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("step ", 0) != 0) rest += line + "\n";
  }
  return rest;
}

/// Every number of b is that of a to `tolerance`, relative; all else is the same.
void expect_near(const json& a, const json& b, double tolerance, const std::string& where = "") {
  if (a.is_number() && b.is_number()) {
    const double x = a.get<double>(), y = b.get<double>();
    EXPECT_NEAR(x, y, tolerance * std::max(std::abs(x), 1e-12)) << where;
  } else if (a.is_structured() && b.is_structured() && a.size() == b.size()) {
    for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j) {
      expect_near(*i, *j, tolerance, where + "/" + (a.is_object() ? i.key() : std::to_string(i - a.begin())));
    }
  } else {
    EXPECT_EQ(a, b) << where;
  }
}

class Together : public ::testing::Test {
 protected:
  /// Labelled noise as samples.
  std::string noise(const std::string& name, int64_t count, uint64_t seed) const {
    auto generator = at::detail::createCPUGenerator(seed);
    checkpoint::save_npz(folder_ / name, {{"arr_0", at::randint(0, 256, {count, 28, 28, 1}, generator, at::kByte)},
                                          {"arr_1", at::arange(count, at::kLong) % 10}});
    return folder_ / name;
  }

  /// A denoiser without batch norms: its loss is a mean over images.
  Words denoiser(const std::string& out, const Words& more = {}) const {
    const fs::path path = folder_ / "denoiser.toml";
    std::ofstream(path) << R"([model]
type = "adm-unet"
null_label = 10
[model.model]
image_size = 28
in_channels = 1
model_channels = 32
out_channels = 2
num_res_blocks = 1
attention_resolutions = []
channel_mult = [1]
num_classes = 11
dropout = 0.1
use_scale_shift_norm = true
[model.diffusion]
steps = 50
noise_schedule = "cosine"
learn_sigma = true
[train]
batch = 6
steps = 8
[loss]
label-dropout = 0.2
timesteps = "stratified"
[optimizer]
lr = 1e-3
clip = 1
ema = 0.9
[augment]
crop = 2
[control]
log-every = 1
checkpoint-every = 3
threads = 1
)";
    Words words = {"train", "--recipe", path, "--data", digits(), "--out", folder_ / out};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  /// A number of each line of metrics.jsonl.
  std::vector<double> curve(const std::string& out, const std::string& name) const {
    std::ifstream file(folder_ / out / "metrics.jsonl");
    std::vector<double> values;
    for (std::string line; std::getline(file, line);) values.push_back(json::parse(line).at(name).get<double>());
    return values;
  }

  std::size_t curve_length(const std::string& out) const {
    std::ifstream file(folder_ / out / "metrics.jsonl");
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  }

  void expect_same_curve(const std::string& a, const std::string& b, double tolerance) const {
    for (const char* name : {"loss", "gradient_norm"}) {
      const std::vector<double> one = curve(a, name), other = curve(b, name);
      ASSERT_EQ(one.size(), 8u);
      ASSERT_EQ(other.size(), 8u);
      for (std::size_t i = 0; i < one.size(); ++i)
        EXPECT_NEAR(one[i], other[i], tolerance * one[i]) << name << " " << i;
    }
  }

  const TemporaryFolder folder_;
};

TEST_F(Together, EvaluateGivesTheNumbersOfOneProcess) {
  const Words words = {"evaluate",    noise("a.npz", 301, 1),
                       "--reference", noise("b.npz", 150, 2),
                       "--features",  bundled("mnist-features"),
                       "--no-cache",  "--bootstrap-fid",
                       "0",           "--batch",
                       "32",          "--threads",
                       "1",           "--quiet",
                       "--format",    "json"};
  const Outcome alone = sextant(words);
  ASSERT_EQ(alone.exit_code, 0) << alone.err;
  const json one = json::parse(alone.out);
  for (const int size : {2, 3}) {
    const json several = json::parse(printed_by(size, words));
    expect_near(one, several, 1e-9);
    for (const char* exact : {"precision", "recall", "density", "coverage", "accuracy"}) {
      EXPECT_EQ(one["metrics"][exact]["value"], several["metrics"][exact]["value"]) << exact;
    }
  }
}

TEST_F(Together, EvaluateTakesTheCacheOfTheReference) {
  Words words = {"evaluate",
                 noise("a.npz", 40, 1),
                 "--reference",
                 noise("b.npz", 40, 2),
                 "--features",
                 bundled("mnist-features"),
                 "--bootstrap-fid",
                 "0",
                 "--threads",
                 "1",
                 "--quiet",
                 "--format",
                 "json"};
  const json embedded = json::parse(printed_by(2, words));
  int64_t caches = 0;
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    caches += entry.path().filename().string().find(".sextant-") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(caches, 1);
  expect_near(embedded, json::parse(printed_by(2, words)), 1e-9);
}

TEST_F(Together, EvaluateOfFewerImagesThanProcesses) {
  const Words words = {
      "evaluate", noise("a.npz", 2, 1), "--features", bundled("mnist-features"), "--metrics", "is", "--threads", "1",
      "--quiet",  "--format",           "json"};
  const Outcome alone = sextant(words);
  ASSERT_EQ(alone.exit_code, 0) << alone.err;
  expect_near(json::parse(alone.out), json::parse(printed_by(3, words)), 1e-9);
}

TEST_F(Together, CalibrateGivesTheNumbersOfOneProcess) {
  const Words words = {"calibrate",
                       "--classifier",
                       bundled("mnist-classifier-overconfident"),
                       "--data",
                       digits(),
                       "--levels",
                       "0.2,0.5",
                       "--batch",
                       "17",
                       "--threads",
                       "1",
                       "--quiet",
                       "--format",
                       "json"};
  const Outcome alone = sextant(words);
  ASSERT_EQ(alone.exit_code, 0) << alone.err;
  const json one = json::parse(alone.out);
  for (const int size : {2, 3}) expect_near(one, json::parse(printed_by(size, words)), 1e-9);
}

TEST_F(Together, TrainHasTheCurveOfOneProcess) {
  ASSERT_EQ(sextant(denoiser("one")).exit_code, 0);
  printed_by(2, denoiser("two", {"--overwrite"}));
  printed_by(3, denoiser("three", {"--micro-batch", "1"}));
  // Sums of float32 in another order, and eight steps of Adam that carry the differences on.
  expect_same_curve("one", "two", 2e-4);
  expect_same_curve("one", "three", 2e-4);
  EXPECT_TRUE(fs::exists(folder_ / "two/model.safetensors"));
  const auto a = checkpoint::load(folder_ / "one/model.safetensors").tensors;
  const auto b = checkpoint::load(folder_ / "two/model.safetensors").tensors;
  for (const auto& name : a.names()) EXPECT_TRUE(at::allclose(a.at(name), b.at(name), 1e-3, 1e-4)) << name;
}

TEST_F(Together, TrainContinuesWithAnotherNumberOfProcesses) {
  ASSERT_EQ(sextant(denoiser("one")).exit_code, 0);
  printed_by(2, denoiser("half", {"--overwrite"}));
  fs::remove(folder_ / "half/model.safetensors");
  fs::remove(folder_ / "half/run.json");
  std::vector<fs::path> snapshots;
  for (const auto& entry : fs::directory_iterator(folder_ / "half/checkpoints")) snapshots.push_back(entry.path());
  std::sort(snapshots.begin(), snapshots.end());
  ASSERT_GE(snapshots.size(), 2u);
  fs::remove_all(snapshots.back());  // of the last step
  ASSERT_EQ(sextant(denoiser("half")).exit_code, 0);
  expect_same_curve("one", "half", 2e-4);
}

TEST_F(Together, FinetuneTunesOnce) {
  ASSERT_EQ(sextant(tiny(folder_, "trained")).exit_code, 0);
  const Words words = {"finetune",
                       "--model",
                       (folder_ / "trained").string(),
                       "--data",
                       digits(),
                       "--test",
                       digits(),
                       "--steps",
                       "6",
                       "--batch",
                       "20",
                       "--lambda",
                       "0",
                       "--threads",
                       "1",
                       "--out",
                       folder_ / "tuned"};
  const std::string said = printed_by(2, words);
  EXPECT_NE(said.find("6 steps"), std::string::npos) << said;
  EXPECT_TRUE(fs::exists(folder_ / "tuned/model.safetensors"));
  EXPECT_TRUE(fs::exists(folder_ / "tuned/calibration.md"));
}

TEST_F(Together, AKilledRankEndsTheJobInOneLineThatNamesIt) {
  const auto processes = job(2, denoiser("killed", {"--steps", "100000", "--quiet"}));
  for (int i = 0; i < 3000 && curve_length("killed") < 2; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  processes[1]->signal(SIGKILL);
  EXPECT_EQ(processes[1]->finish().exit_code, 128 + SIGKILL);
  const Outcome outcome = processes[0]->finish();
  EXPECT_EQ(outcome.exit_code, 1);
  const std::string said = without_steps(outcome.err);
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  EXPECT_EQ(said.rfind("sextant train: rank 1 on " + host() + ", step ", 0), 0u) << said;
  EXPECT_NE(outcome.err.find(", is gone; this ends the job, what is saved is kept"), std::string::npos) << outcome.err;
}

TEST_F(Together, AStalledRankIsNamedAfterTheTimeOut) {
  const auto processes = job(2, denoiser("stalled", {"--steps", "100000", "--quiet"}), "3");
  for (int i = 0; i < 3000 && curve_length("stalled") < 2; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  processes[1]->signal(SIGSTOP);
  const Outcome outcome = processes[0]->finish();
  processes[1]->signal(SIGKILL);
  processes[1]->finish();
  EXPECT_EQ(outcome.exit_code, 1);
  const std::string said = without_steps(outcome.err);
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  EXPECT_EQ(said.rfind("sextant train: rank 1 on " + host() + ", step ", 0), 0u) << said;
  EXPECT_NE(outcome.err.find("kept the others waiting for more than 3 s"), std::string::npos) << outcome.err;
}

TEST_F(Together, AStopOfOneRankStopsAllAndSaves) {
  const auto processes = job(2, denoiser("stopped", {"--steps", "100000", "--quiet"}));
  for (int i = 0; i < 3000 && curve_length("stopped") < 2; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  processes[1]->signal(SIGINT);
  EXPECT_EQ(processes[1]->finish().exit_code, 130);
  const Outcome first = processes[0]->finish();
  EXPECT_EQ(without_steps(first.err), "");
  EXPECT_FALSE(fs::is_empty(folder_ / "stopped/checkpoints"));
}

TEST_F(Together, ARankThatDoesNotComeIsNamed) {
  const Rank environment(0, 2);
  setenv("MASTER_ADDR", "127.0.0.1", 1);
  const std::string port = sextant::testing::free_port();
  setenv("MASTER_PORT", port.c_str(), 1);
  setenv("SEXTANT_TIMEOUT", "1", 1);
  const Outcome outcome = sextant(denoiser("o"));
  for (const char* name : {"MASTER_ADDR", "MASTER_PORT", "SEXTANT_TIMEOUT"}) unsetenv(name);
  EXPECT_EQ(outcome.exit_code, 1);
  // The sockets of libtorch 2 print warnings of their own before.
  EXPECT_TRUE(outcome.err.ends_with("sextant train: of the 2 processes, rank 1 did not come to 127.0.0.1:" + port +
                                    " within 1 s (SEXTANT_TIMEOUT)\n"))
      << outcome.err;
}

TEST_F(Together, SweepDrawsEachRunOnceAndTheFirstProcessMakesTheTable) {
  const fs::path path = folder_ / "r.toml";
  std::ofstream(path) << "[sweep]\njudge = \"" + bundled("mnist-features") +
                             "\"\nthreads = 1\nseeds = \"0,1\"\n"
                             "[sample]\nlabels = \"0-9\"\ncount = 10\nbatch = 5\n[model]\nmodel = \"" +
                             bundled("mnist-adm") + "\"\n[classifier]\nclassifier = \"" + bundled("mnist-classifier") +
                             "\"\n[sampler]\nsteps = 3\n[[rows]]\nname = \"none\"\nguidance.guidance = \"none\"\n"
                             "[[rows]]\nname = \"js\"\nguidance.guidance = \"js\"\n";
  ASSERT_EQ(sextant({"sweep", path, "--out", folder_ / "one"}).exit_code, 0);
  const auto processes = job(2, {"sweep", path, "--out", folder_ / "two"});
  const Outcome second = processes[1]->finish(), first = processes[0]->finish();
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(second.out, "");
  EXPECT_NE(first.out.find("4 of 4 runs"), std::string::npos) << first.out;
  for (const char* run : {"none/seed-0", "none/seed-1", "js/seed-0", "js/seed-1"}) {
    EXPECT_TRUE(array_of(folder_ / "one" / run).equal(array_of(folder_ / "two" / run))) << run;
  }
  json one = json::parse(read_file(folder_ / "one/run.json"))["results"];
  json two = json::parse(read_file(folder_ / "two/run.json"))["results"];
  ASSERT_EQ(one.size(), two.size());
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i]["accuracy"], two[i]["accuracy"]);
}

}  // namespace
}  // namespace sextant::cli::testing
