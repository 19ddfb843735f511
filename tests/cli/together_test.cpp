// Several processes of a launcher that compute one result: evaluate, calibrate, train, finetune, sweep.
#include "cli/job_fixture.h"

namespace sextant::cli::testing {
namespace {

using nlohmann::json;

/// What the first process printed. The others print nothing.
std::string printed_by(int size, const Words& words) {
  std::vector<Outcome> outcomes;
  for (const auto& process : job(size, words)) outcomes.push_back(process->finish());
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  for (std::size_t i = 1; i < outcomes.size(); ++i) EXPECT_EQ(outcomes[i].out + outcomes[i].err, "");
  return outcomes.front().out;
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

class Together : public SharedTraining {
 protected:
  /// Labelled noise as samples.
  std::string noise(const std::string& name, int64_t count, uint64_t seed) const {
    auto generator = at::detail::createCPUGenerator(seed);
    checkpoint::save_npz(folder_ / name, {{"arr_0", at::randint(0, 256, {count, 28, 28, 1}, generator, at::kByte)},
                                          {"arr_1", at::arange(count, at::kLong) % 10}});
    return folder_ / name;
  }

  /// A number of each line of metrics.jsonl.
  std::vector<double> curve(const std::string& out, const std::string& name) const {
    std::ifstream file(folder_ / out / "metrics.jsonl");
    std::vector<double> values;
    for (std::string line; std::getline(file, line);) values.push_back(json::parse(line).at(name).get<double>());
    return values;
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

TEST_F(Together, TrainOfBatchNormsHasTheCurveOfOneProcess) {
  // Small steps: eight of Adam's usual ones carry the rounding of float32, by another number of threads too, to 1e-3.
  const auto classifier = [this](const std::string& out, const Words& more = {}) {
    Words words = {"train",     "--model", bundled("mnist-classifier"),
                   "--data",    digits(),  "--take-per-class",
                   "20",        "--batch", "9",
                   "--steps",   "8",       "--seed",
                   "4",         "--lr",    "1e-6",
                   "--threads", "1",       "--log-every",
                   "1",         "--out",   folder_ / out};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  ASSERT_EQ(sextant(classifier("one")).exit_code, 0);
  const std::vector<double> one = curve("one", "loss");
  ASSERT_EQ(one.size(), 8u);
  for (const int size : {2, 3}) {
    const std::string out = std::to_string(size);
    printed_by(size, classifier(out));
    const std::vector<double> several = curve(out, "loss");
    ASSERT_EQ(several.size(), 8u);
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], several[i], 1e-5 * one[i]) << i;
  }
  // Shares of 5 and 4 images by twos: three parts each.
  printed_by(2, classifier("parts", {"--micro-batch", "2"}));
  EXPECT_EQ(curve("parts", "loss").size(), 8u);
  // A micro-batch larger than the batch is the batch.
  printed_by(2, classifier("large", {"--micro-batch", "20"}));
  expect_same_curve("2", "large", 1e-6);
}

TEST_F(Together, TrainByTheLossesOfAllImagesKeepsOneHistory) {
  const Words words = {"--timesteps", "loss-second-moment"};
  ASSERT_EQ(sextant(denoiser("one", words)).exit_code, 0);
  printed_by(2, denoiser("two", words));
  expect_same_curve("one", "two", 2e-4);
  const auto snapshot = [&](const std::string& out) {
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator(folder_ / out / "checkpoints")) all.push_back(entry.path());
    return checkpoint::load(*std::max_element(all.begin(), all.end())).tensors;
  };
  const auto one = snapshot("one"), two = snapshot("two");
  EXPECT_EQ(one.at("objective.timesteps.counts").sum().item<int64_t>(), 8 * 6);
  EXPECT_TRUE(one.at("objective.timesteps.counts").equal(two.at("objective.timesteps.counts")));
  EXPECT_TRUE(at::allclose(one.at("objective.timesteps.history"), two.at("objective.timesteps.history"), 1e-3, 1e-5));
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

TEST_F(Together, FinetuneHasTheCurveOfOneProcess) {
  // Its batch norms, and its Smooth ECE, are those of the whole batch; --lambda is 1 unless told otherwise.
  const auto words = [this](const std::string& out) {
    return Words{"finetune",  "--model", bundled("mnist-classifier"),
                 "--data",    digits(),  "--test",
                 digits(),    "--steps", "8",
                 "--batch",   "9",       "--entropy-weight",
                 "0.1",       "--seed",  "4",
                 "--threads", "1",       "--log-every",
                 "1",         "--out",   folder_ / out,
                 "--lr",      "1e-6"};
  };
  ASSERT_EQ(sextant(words("1")).exit_code, 0);
  for (const std::string size : {"2", "3"}) {
    printed_by(std::stoi(size), words(size));
    for (const char* name : {"loss", "smooth_ece", "entropy_constraint"}) {
      const std::vector<double> one = curve("1", name), several = curve(size, name);
      ASSERT_EQ(one.size(), 8u);
      ASSERT_EQ(several.size(), 8u);
      for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], several[i], 1e-5) << name << " " << i;
    }
  }
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
