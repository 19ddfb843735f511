// Finished samples on disk while a run is under way.
//
// One file, its space reserved before any work: a header with the run's identity, then one slot per sample with
// checksum, record, trace and pixels. A slot is valid when its checksum fits, so a process killed in the middle of a
// write loses that slot at most, and a restart draws the slots that are missing. Samples of another run in the file
// stay until the first of this run are on disk: they are written to a neighbour, which is then renamed.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "sextant/runtime/tensor.h"

namespace sextant::commands {

/// What is known of one sample besides its pixels.
struct SampleRecord {
  int64_t label = 0;
  double gradient_norm = 0;       ///< |g| averaged over the guided steps; 0 without guidance
  double seconds = 0;             ///< its share of the batch's time
  double denoiser_seconds = 0;    ///< of which in the denoiser
  double classifier_seconds = 0;  ///< of which in the classifier, forward and backward
};

class SampleStore {
 public:
  /// Opens or makes `path` for `count` samples of `shape`, [H, W, C] of images and [d] of points, in `dtype`, each with
  /// a trace of `trace_size` numbers. Error when the space cannot be had or another process has it open. What an
  /// earlier run stored is continued when its identity is the same and replaced by the first put() otherwise: ask
  /// stored_identity() first. A store without samples leaves no file.
  SampleStore(const std::filesystem::path& path, const nlohmann::json& identity, std::vector<int64_t> shape,
              int64_t count, int64_t trace_size = 0, at::ScalarType dtype = at::kByte);
  ~SampleStore();
  SampleStore(const SampleStore&) = delete;
  SampleStore& operator=(const SampleStore&) = delete;

  /// The identity in an existing store, null when there is none or nothing was stored.
  static nlohmann::json stored_identity(const std::filesystem::path& path);
  /// Whether `path` is a store that this version cannot read.
  static bool of_another_version(const std::filesystem::path& path);

  int64_t count() const { return static_cast<int64_t>(valid_.size()); }
  int64_t finished() const;
  bool of_points() const { return dtype_ != at::kByte; }
  bool has(int64_t sample) const { return valid_[static_cast<std::size_t>(sample)]; }

  /// Stores samples: images [N, shape...] in the store's dtype, one record each, and N trace_size numbers [N, ...]
  /// float64. On disk when it returns.
  void put(const std::vector<int64_t>& samples, const Tensor& images, const std::vector<SampleRecord>& records,
           const Tensor& traces = {});

  /// Images of the finished ones of the samples first, ..., end - 1: [n, shape...]
  Tensor images(int64_t first, int64_t end) const;
  /// Records of all finished samples, in order of their index.
  std::vector<SampleRecord> records() const;
  /// The trace of a finished sample, as put() got it.
  std::vector<double> trace(int64_t sample) const;

  /// Writes all finished samples, in order of their index, as arr_0 and arr_1; whole or not at all.
  void write_npz(const std::filesystem::path& path) const;

 private:
  void open_or_create(const nlohmann::json& identity);
  void scan();
  int64_t slot_offset(int64_t sample) const;
  int64_t trace_bytes() const { return trace_size_ * static_cast<int64_t>(sizeof(double)); }
  std::filesystem::path neighbour() const { return path_.string() + ".new"; }

  std::filesystem::path path_;
  std::vector<int64_t> shape_;
  at::ScalarType dtype_;
  std::vector<bool> valid_;
  std::vector<SampleRecord> records_;
  std::string header_;  ///< still to be written: an empty store bears no name yet, so it never keeps another run out
  int64_t trace_size_;
  int64_t pixels_ = 0;  ///< bytes of one image
  int64_t data_ = 0;    ///< offset of slot 0
  int file_ = -1;
  int former_ = -1;  ///< path_ with another run's samples, locked, while file_ is its neighbour
};

}  // namespace sextant::commands
