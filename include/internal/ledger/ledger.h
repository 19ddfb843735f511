// What was drawn and how it scored, in one SQLite file that several processes may write at once.
//
// A run is a set of images: its key is a hash of the settings that they depend on and of the weights. Scores belong to
// the first `images` of a run under one way of judging, whose key is likewise a hash. A sweep is a list of cells, and
// several cells may stand on one run. A cell that is there is not drawn again, whichever sweep drew it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace sextant::ledger {

enum class State { kNew, kDrawing, kDone, kFailed };
/// "new", "drawing", "done", "failed".
std::string name_of(State state);

struct Run {
  int64_t id = 0;
  std::string key;     ///< of settings, seed and weights
  std::string folder;  ///< where the images are, absolute
  int64_t images = 0;  ///< finished
  State state = State::kNew;
  std::string log;          ///< of a failed run: why
  nlohmann::json settings;  ///< {"table": {"key": value}} of `sextant sample`
  nlohmann::json weights;   ///< {path: hash}
  nlohmann::json versions;  ///< of what drew it
  double seconds_per_image = 0;
  double gradient_norm = 0;
  std::string changed;  ///< UTC, "2026-01-31 12:00:00"
};

/// A number of a run, or the difference of two.
struct Score {
  std::string metric;  ///< "fid"
  double value = 0;
  std::optional<double> deviation;  ///< of the number, where it is known
  std::optional<double> low, high;  ///< its interval
};

struct Cell {
  std::string row, column;
  uint64_t seed = 0;
  int64_t run = 0;       ///< Run::id
  int64_t images = 0;    ///< how many of the run's
  std::string judge;     ///< key of the way of judging; "" is none
  nlohmann::json paper;  ///< {"metric": number} as printed
};

struct Sweep {
  int64_t id = 0;
  std::string title, out;
  nlohmann::json recipe;
  std::string began;
};

class Ledger {
 public:
  /// Opens `path` or makes it. Error for a file that is no ledger and for one of a newer version, in one line.
  explicit Ledger(const std::filesystem::path& path);
  ~Ledger();
  const std::filesystem::path& path() const;

  /// The hash of a file or folder: `compute` gives it where the size or the time of its last change is new.
  std::string hash_of(const std::filesystem::path& path, std::string (*compute)(const std::filesystem::path&));

  /// The run with this key; made with the rest of `run` where it is not there.
  Run find_or_add(const Run& run);
  std::optional<Run> run(int64_t id) const;
  std::optional<Run> find(const std::string& key) const;
  std::vector<Run> runs() const;
  /// Stores everything of the run with this key but its id; nothing where it has been forgotten.
  void update(const Run& run);
  /// Forgets the run and its scores. Cells that stand on it go, too.
  void remove(int64_t run);

  /// Scores of the first `images` of a run.
  void put_scores(int64_t run, const std::string& judge, int64_t images, const std::vector<Score>& scores);
  std::vector<Score> scores(int64_t run, const std::string& judge, int64_t images) const;
  /// The scores of the run's largest set of images that has any, of the way of judging that was stored last.
  std::vector<Score> latest_scores(int64_t run) const;
  /// What a run's numbers are less those of `baseline`, for a mean over seeds under one key of both.
  void put_differences(const std::string& pair, const std::vector<Score>& differences);
  std::vector<Score> differences(const std::string& pair) const;

  /// Begins or repeats the sweep that writes into `sweep.out`: its cells are these now.
  int64_t put_sweep(const Sweep& sweep, const std::vector<Cell>& cells);
  std::vector<Sweep> sweeps() const;
  std::vector<Cell> cells(int64_t sweep) const;

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

}  // namespace sextant::ledger
