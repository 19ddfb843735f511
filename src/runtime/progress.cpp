#include "sextant/runtime/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "internal/runtime/terminal.h"
#include "internal/runtime/utf8.h"

namespace sextant {
namespace {

/// What the work under way has come to.
struct Work {
  std::string task;
  std::string unit;
  double total = 0;
  double first = 0;  ///< done by an earlier run: not part of the rate
  double done = 0;
  double start = 0;
  double now = 0;

  double share() const { return total > 0 ? std::min(1.0, done / total) : 1; }

  /// "12/100 images, 3.4 images/s, 0:26 left"; the speed may be left out.
  std::string text(bool with_speed = true) const {
    char counts[96];
    std::snprintf(counts, sizeof counts, "%.0f/%.0f ", std::floor(done + 1e-9), total);
    std::string text = counts + unit;
    const double fresh = done - first;
    const double elapsed = now - start;
    if (fresh <= 0 || elapsed <= 0) return text;
    const double rate = fresh / elapsed;
    char speed[32];
    std::snprintf(speed, sizeof speed, ", %.3g ", rate);
    if (with_speed) text += speed + unit + "/s";
    return text + ", " +
           (done < total ? format_duration((total - done) / rate) + " left" : format_duration(elapsed) + " in all");
  }
};

/// Columns that the letter beginning with this byte takes on a terminal; 0 for the bytes that follow in it. Letters
/// that some terminals draw wide count as wide.
int columns_of(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  if (first < 0xc0) return 0;
  if (first < 0xe0) return 1;
  if (first >= 0xf0) return 2;
  const unsigned code = (first & 0x0fU) << 12 | (byte(at + 1) & 0x3fU) << 6 | (byte(at + 2) & 0x3fU);
  const bool wide = (code >= 0x1100 && code < 0x1160) || (code >= 0x2300 && code < 0x2400) ||
                    (code >= 0x2600 && code < 0x2c00) || code >= 0x2e80;
  return wide ? 2 : 1;
}

int columns_of(const std::string& text) {
  int columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) columns += columns_of(text, i);
  return columns;
}

/// The beginning of `text` in so many columns, with dots where something is cut off.
std::string cut(const std::string& text, int room) {
  if (columns_of(text) <= room) return text;
  const std::string dots(static_cast<std::size_t>(std::clamp(room, 0, 3)), '.');
  int left = room - static_cast<int>(dots.size());
  std::size_t end = 0;
  while (end < text.size() && columns_of(text, end) <= left) left -= columns_of(text, end++);
  return text.substr(0, end) + dots;
}

class Quiet : public Progress {
 public:
  explicit Quiet(std::ostream& out) : out_(out) {}
  void begin(const std::string&, double, double, const std::string&) override {}
  void update(double) override {}
  void end() override {}
  void note(const std::string& line) override { out_ << one_line(line) << std::endl; }

 protected:
  std::ostream& out_;
};

class Reporting : public Quiet {
 public:
  Reporting(std::ostream& out, Clock clock) : Quiet(out), clock_(std::move(clock)) {}

  void begin(const std::string& task, double total, double done, const std::string& unit) override {
    const double now = clock_();
    work_ = {task, unit, total, done, done, now, now};
    active_ = true;
    shown_ = now;
    first();
  }

  void update(double done) override {
    if (!active_) return;
    work_.done = done;
    work_.now = clock_();
    if (due()) {
      shown_ = work_.now;
      show();
    }
  }

  void end() override {
    if (!active_) return;
    work_.now = clock_();
    last();
    active_ = false;
  }

 protected:
  virtual void first() = 0;
  virtual bool due() = 0;
  virtual void show() = 0;
  virtual void last() = 0;

  Clock clock_;
  Work work_;
  bool active_ = false;
  double shown_ = 0;
};

class Bar : public Reporting {
 public:
  Bar(std::ostream& out, Clock clock, std::function<int()> columns)
      : Reporting(out, std::move(clock)), columns_(std::move(columns)) {}

  void note(const std::string& line) override {
    if (active_) out_ << "\r\033[K";
    out_ << one_line(line) << std::endl;
    if (active_) show();
  }

 protected:
  void first() override { show(); }
  bool due() override { return work_.now - shown_ >= 0.1 || work_.done >= work_.total; }

  void show() override {
    // A terminal that wraps in its last column would keep what is redrawn.
    const int columns = columns_();
    out_ << "\r\033[K" << line(columns > 0 ? columns - 1 : 1 << 20) << std::flush;
  }

  void last() override {
    show();
    out_ << std::endl;
  }

 private:
  /// As much as fits, in this order: the counts, the task, a short bar, the speed, a longer bar.
  std::string line(int room) const {
    constexpr int kShortest = 8;
    constexpr int kLongest = 24;
    const std::string task = one_line(work_.task);
    const std::string percent = std::to_string(static_cast<int>(work_.share() * 100)) + "%  ";
    for (const bool with_speed : {true, false}) {
      const std::string counts = percent + work_.text(with_speed);
      const int width = std::min(kLongest, room - columns_of(task) - columns_of(counts) - 4);
      if (width < kShortest) continue;
      const int filled = static_cast<int>(work_.share() * width);
      return task + " [" + std::string(static_cast<std::size_t>(filled), '#') +
             std::string(static_cast<std::size_t>(width - filled), '.') + "] " + counts;
    }
    const std::string counts = percent + work_.text(false);
    constexpr int kLeast = 12;  // of a task that tells what it is
    const int left = room - columns_of(counts) - 2;
    return left < kLeast ? cut(counts, room) : cut(task, left) + "  " + counts;
  }

  std::function<int()> columns_;
};

class Lines : public Reporting {
 public:
  using Reporting::Reporting;

 protected:
  void first() override { shown_share_ = -1; }
  bool due() override {
    return work_.now - shown_ >= 30 && work_.share() - shown_share_ >= 0.1 && work_.done < work_.total;
  }

  void show() override {
    shown_share_ = work_.share();
    out_ << work_.task << ": " << work_.text() << std::endl;
  }

  void last() override { show(); }

 private:
  double shown_share_ = 0;
};

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int columns_of_environment() {
  const char* const text = std::getenv("COLUMNS");
  if (text == nullptr) return 0;
  const std::string_view digits = text;
  int columns = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), columns);
  return error == std::errc() && end == digits.end() && columns > 0 ? columns : 0;
}

int terminal_columns(int descriptor) {
  if (isatty(descriptor) == 0) return 0;
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  constexpr int kUsual = 80;
  const int told = columns_of_environment();
  return told > 0 ? told : kUsual;
}

std::unique_ptr<Progress> make_bar(std::ostream& out, Clock clock, std::function<int()> columns) {
  return std::make_unique<Bar>(out, std::move(clock), std::move(columns));
}

std::unique_ptr<Progress> make_progress(ProgressStyle style, std::ostream& out, Clock clock) {
  if (style == ProgressStyle::kBar) {
    const int descriptor = &out == &std::cerr ? STDERR_FILENO : &out == &std::cout ? STDOUT_FILENO : -1;
    return make_bar(out, std::move(clock), [descriptor] { return terminal_columns(descriptor); });
  }
  if (style == ProgressStyle::kLines) return std::make_unique<Lines>(out, std::move(clock));
  return std::make_unique<Quiet>(out);
}

std::string format_duration(double seconds) {
  const auto whole = static_cast<long long>(std::llround(std::min(seconds, 3.6e8)));
  char text[48];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
  }
  return text;
}

}  // namespace sextant
