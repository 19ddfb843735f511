// What a sweep says while it works.
#include <gtest/gtest.h>

#include <sstream>

#include "sweep/numbered_progress.h"

namespace sextant::testing {
namespace {

class SweepProgress : public ::testing::Test {
 protected:
  SweepProgress()
      : inner_(make_progress(ProgressStyle::kLines, out_, [this] { return seconds_; })),
        progress_(*inner_, "[1/9] plain", [this] { return seconds_; }) {}

  /// Work that takes so long, told of ten times.
  void work(const std::string& task, double seconds) {
    progress_.begin(task, 10, 0, "images");
    for (int done = 1; done <= 10; ++done) {
      seconds_ += seconds / 10;
      progress_.update(done);
    }
    progress_.end();
  }

  std::ostringstream out_;
  double seconds_ = 0;
  std::unique_ptr<Progress> inner_;
  commands::NumberedProgress progress_;
};

TEST_F(SweepProgress, IsOneLineForARunThatIsDrawnAndScored) {
  work("sample", 20);
  work("embed", 1);
  work("score", 1);
  EXPECT_EQ(out_.str(), "[1/9] plain: 10/10 images, 0.5 images/s, 0:20 in all\n");
}

TEST_F(SweepProgress, ShowsScoringThatTakesLong) {
  work("embed", 100);
  EXPECT_NE(out_.str().find("[1/9] plain, embed: 10/10 images"), std::string::npos) << out_.str();
}

TEST_F(SweepProgress, SaysWhoseANoteIs) {
  progress_.note("a note");
  EXPECT_EQ(out_.str(), "[1/9] plain: a note\n");
}

}  // namespace
}  // namespace sextant::testing
