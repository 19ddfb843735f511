#include "sextant/runtime/progress.h"

#include <cmath>
#include <cstdio>

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

  /// "12/100 images, 3.4 images/s, 0:26 left"
  std::string text() const {
    char counts[96];
    std::snprintf(counts, sizeof counts, "%.0f/%.0f ", std::floor(done + 1e-9), total);
    std::string text = counts + unit;
    const double fresh = done - first;
    const double elapsed = now - start;
    if (fresh <= 0 || elapsed <= 0) return text;
    const double rate = fresh / elapsed;
    char rates[96];
    std::snprintf(rates, sizeof rates, ", %.3g %s/s, ", rate, unit.c_str());
    return text + rates +
           (done < total ? format_duration((total - done) / rate) + " left" : format_duration(elapsed) + " in all");
  }
};

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
  using Reporting::Reporting;

  void note(const std::string& line) override {
    if (active_) out_ << "\r\033[K";
    out_ << one_line(line) << std::endl;
    if (active_) show();
  }

 protected:
  void first() override { show(); }
  bool due() override { return work_.now - shown_ >= 0.1 || work_.done >= work_.total; }

  void show() override {
    constexpr int kWidth = 24;
    const int filled = static_cast<int>(work_.share() * kWidth);
    out_ << "\r\033[K" << work_.task << " [" << std::string(filled, '#') << std::string(kWidth - filled, '.') << "] "
         << static_cast<int>(work_.share() * 100) << "%  " << work_.text() << std::flush;
  }

  void last() override {
    show();
    out_ << std::endl;
  }
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

std::unique_ptr<Progress> make_progress(ProgressStyle style, std::ostream& out, Clock clock) {
  if (style == ProgressStyle::kBar) return std::make_unique<Bar>(out, std::move(clock));
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
