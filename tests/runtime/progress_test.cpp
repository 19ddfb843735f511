#include "sextant/runtime/progress.h"

#include <gtest/gtest.h>

#include <sstream>

#include "internal/runtime/terminal.h"

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

/// The bar's last state on a terminal of so many columns.
std::string bar_of(int columns, const std::string& task, double done = 20) {
  std::ostringstream out;
  Watch watch;
  const auto progress = make_bar(out, watch.clock(), [&] { return columns; });
  progress->begin(task, 100, 0, "images");
  watch.seconds = 10;
  progress->update(done);
  const std::string text = out.str();
  return text.substr(text.rfind("\r\033[K") + 4);
}

TEST(ProgressBar, StaysBelowTheTerminalsWidthAndKeepsTheCounts) {
  for (int columns = 1; columns <= 140; ++columns) {
    const std::string line = bar_of(columns, "[11/11] told it, classifier-free");
    EXPECT_LT(line.size(), static_cast<std::size_t>(columns)) << line;
    if (columns > 36) {
      EXPECT_NE(line.find("20%  20/100 images, "), std::string::npos) << columns << line;
    }
  }
  EXPECT_EQ(bar_of(140, "sample"), "sample [####....................] 20%  20/100 images, 2 images/s, 0:40 left");
  EXPECT_EQ(bar_of(0, "sample"), bar_of(140, "sample"));
  EXPECT_EQ(bar_of(80, "[11/11] told it, classifier-free"),
            "[11/11] told it, classifier-free [##............] 20%  20/100 images, 0:40 left");
  EXPECT_EQ(bar_of(50, "[11/11] told it, classifier-free"), "[11/11] told it...  20%  20/100 images, 0:40 left");
}

TEST(ProgressBar, CountsColumnsAndNotBytes) {
  EXPECT_EQ(bar_of(50, "\u03bb = 0.2, \u03b1 0.1, \u03c4 = 1"),
            "\u03bb = 0.2, \u03b1 0.1,...  20%  20/100 images, 0:40 left");
  const std::string wide = bar_of(50, "\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57");
  EXPECT_EQ(wide, "\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22...  20%  20/100 images, 0:40 left");
  EXPECT_EQ(bar_of(80, "two\nlines").find('\n'), std::string::npos);
}

TEST(ProgressBar, FollowsAResize) {
  std::ostringstream out;
  Watch watch;
  int columns = 120;
  const auto progress = make_bar(out, watch.clock(), [&] { return columns; });
  progress->begin("[11/11] told it, classifier-free", 100, 0, "images");
  columns = 40;
  watch.seconds = 1;
  progress->update(1);
  const std::string text = out.str();
  EXPECT_LT(text.size() - text.rfind("\r\033[K") - 4, 40U) << text;
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
