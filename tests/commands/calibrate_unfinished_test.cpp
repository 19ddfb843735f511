// Measurements that were stopped and go on.
#include "commands/calibrate_fixture.h"
#include "internal/runtime/files.h"

namespace sextant::testing {
namespace {

/// Hears which work begins, and asks for a stop when the n-th does.
class Listening : public Progress {
 public:
  Listening(Stop& stop, std::size_t last) : stop_(stop), last_(last) {}
  void begin(const std::string& task, double, double, const std::string&) override {
    tasks_.push_back(task);
    if (tasks_.size() == last_) stop_.request(2);
  }
  void update(double) override {}
  void end() override {}
  void note(const std::string& line) override { notes_ += line + "\n"; }

  std::vector<std::string> tasks_;
  std::string notes_;

 private:
  Stop& stop_;
  std::size_t last_;
};

class UnfinishedCalibration : public Calibrate {
 protected:
  UnfinishedCalibration() {
    config_.classifier.path = bundled("mnist-noisy-classifier");
    config_.count = 40;
    config_.levels = "100,500,900";
    config_.run.out = folder_ / "out";
  }

  /// A run that is asked to stop at its n-th piece of work; 0 is none.
  Listening run(std::size_t stop_at = 0) {
    Stop stop;
    Listening progress(stop, stop_at);
    complete_ = commands::run_calibrate(config_, progress, stop).complete;
    return progress;
  }
  std::string written() const {
    std::string text = read_file(folder_ / "out/calibration.json");
    text.replace(text.find((folder_ / "out").string()), (folder_ / "out").string().size(), "OUT");
    return text;
  }

  bool complete_ = false;
};

TEST_F(UnfinishedCalibration, GoesOnBehindTheLevelsThatWereMeasuredAndWritesTheSameBytes) {
  run();
  const std::string whole = written();
  const std::string table = read_file(folder_ / "out/table.csv");
  std::filesystem::remove_all(folder_ / "out");
  run(/*stop_at=*/3);
  EXPECT_FALSE(complete_);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/calibration.json"));
  const Listening second = run();
  EXPECT_TRUE(complete_);
  EXPECT_EQ(second.tasks_, (std::vector<std::string>{"t = 500", "t = 900"}));
  EXPECT_NE(second.notes_.find("2 of 4 conditions were measured before"), std::string::npos) << second.notes_;
  EXPECT_EQ(written(), whole);
  EXPECT_EQ(read_file(folder_ / "out/table.csv"), table);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/calibration.partial"));
  EXPECT_EQ(run().tasks_.size(), 4u) << "a finished one is measured again";
}

TEST_F(UnfinishedCalibration, KeepsARepairAndBothInputs) {
  config_.model.path = bundled("mnist-adm");
  config_.model.unconditional = true;
  config_.levels = "200,400";
  config_.fit = commands::FitMethod::kVector;
  config_.run.out = folder_ / "whole";
  run();
  const std::string whole = read_file(folder_ / "whole/table.md");
  config_.run.out = folder_ / "out";
  run(/*stop_at=*/4);  // the repair, clean images, 200, 400
  const Listening second = run();
  EXPECT_EQ(second.tasks_, std::vector<std::string>{"t = 400"});
  EXPECT_NE(second.notes_.find("the repair, 3 of 5 conditions"), std::string::npos) << second.notes_;
  EXPECT_EQ(read_file(folder_ / "out/table.md"), whole);
}

TEST_F(UnfinishedCalibration, IsOfUseToTheSameMeasurementAlone) {
  run(3);
  config_.batch = 7;  // what changes speed alone
  EXPECT_EQ(run(2).tasks_.size(), 2u);
  config_.seed = 1;
  EXPECT_EQ(run(1).tasks_.front(), "clean images");
  config_.seed = 0;
  labels_[3] = (labels_[3] + 1) % 10;
  write(bytes_, labels_);
  EXPECT_EQ(run(1).tasks_.front(), "clean images");
}

TEST_F(UnfinishedCalibration, RefusesADamagedFile) {
  run(3);
  write_atomically(folder_ / "out/calibration.partial", "{\"identity\": ");
  expect_refusal(config_, "1", "calibration.partial: is damaged; remove it to begin anew");
}

}  // namespace
}  // namespace sextant::testing
