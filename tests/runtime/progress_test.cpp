#include "sextant/runtime/progress.h"

#include <gtest/gtest.h>

#include <sstream>

namespace sextant {
namespace {

struct Watch {
  double seconds = 0;
  Clock clock() {
    return [this] { return seconds; };
  }
};

TEST(ProgressBar, ShowsRateAndTimeLeft) {
  std::ostringstream out;
  Watch watch;
  const auto progress = make_progress(ProgressStyle::kBar, out, watch.clock());
  progress->begin("sample", 100, 0, "images");
  watch.seconds = 10;
  progress->update(20);
  EXPECT_NE(out.str().find("20%  20/100 images, 2 images/s, 0:40 left"), std::string::npos) << out.str();
}

TEST(ProgressBar, DoesNotCountTheWorkOfAnEarlierRunAsSpeed) {
  std::ostringstream out;
  Watch watch;
  const auto progress = make_progress(ProgressStyle::kBar, out, watch.clock());
  progress->begin("sample", 100, 90, "images");
  watch.seconds = 10;
  progress->update(95);
  EXPECT_NE(out.str().find("95/100 images, 0.5 images/s, 0:10 left"), std::string::npos) << out.str();
}

TEST(ProgressLines, AreFewAndPlain) {
  std::ostringstream out;
  Watch watch;
  const auto progress = make_progress(ProgressStyle::kLines, out, watch.clock());
  progress->begin("sample", 1000, 0, "images");
  for (int i = 1; i <= 1000; ++i) {
    watch.seconds = i;
    progress->update(i);
  }
  progress->end();
  EXPECT_EQ(out.str().find('\r'), std::string::npos);
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11) << text;
  EXPECT_NE(text.find("sample: 1000/1000 images, 1 images/s, 16:40 in all\n"), std::string::npos) << text;
}

TEST(ProgressQuiet, PrintsNothingButNotes) {
  std::ostringstream out;
  const auto progress = make_progress(ProgressStyle::kQuiet, out);
  progress->begin("sample", 10, 0, "images");
  progress->update(5);
  progress->note("7 images were there already");
  progress->end();
  EXPECT_EQ(out.str(), "7 images were there already\n");
}

TEST(Minutes, ReadLikeAClock) {
  EXPECT_EQ(format_duration(75), "1:15");
  EXPECT_EQ(format_duration(3675.4), "1:01:15");
  EXPECT_EQ(format_duration(0), "0:00");
}

}  // namespace
}  // namespace sextant
