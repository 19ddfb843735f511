// Progress of a sweep: one run after the other.
#pragma once

#include <string>

#include "sextant/runtime/progress.h"

namespace sextant::commands {

/// Tells which run of how many a progress report is about. Drawing is reported; scoring, which mostly takes a moment,
/// only once it has lasted kPatience seconds.
class NumberedProgress : public Progress {
 public:
  static constexpr double kPatience = 10;

  NumberedProgress(Progress& progress, std::string title, Clock clock = steady_seconds)
      : progress_(progress), title_(std::move(title)), clock_(std::move(clock)) {}

  void begin(const std::string& task, double total, double done, const std::string& unit) override {
    work_ = {task == "sample" ? title_ : title_ + ", " + task, total, done, unit};
    began_ = clock_();
    told_ = task == "sample";
    if (told_) tell();
  }
  void update(double done) override {
    if (!told_ && clock_() - began_ >= kPatience) {
      told_ = true;
      tell();
    }
    if (told_) progress_.update(done);
  }
  void end() override {
    if (told_) progress_.end();
  }
  void note(const std::string& line) override { progress_.note(title_ + ": " + line); }

 private:
  struct Work {
    std::string task;
    double total, done;
    std::string unit;
  };
  void tell() { progress_.begin(work_.task, work_.total, work_.done, work_.unit); }

  Progress& progress_;
  std::string title_;
  Clock clock_;
  Work work_{};
  double began_ = 0;
  bool told_ = false;
};

}  // namespace sextant::commands
