#include "calibrate/unfinished.h"

#include <stdexcept>

#include "calibrate/report.h"
#include "internal/runtime/content_hash.h"
#include "internal/runtime/files.h"
#include "internal/runtime/options.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {
namespace {

using nlohmann::json;

std::string hash_of(const Subset& subset) {
  ContentHash hash;
  const Tensor labels = subset.labels.contiguous();
  hash.add(labels.data_ptr(), labels.nbytes());
  hash.add(subset.numbers.data(), subset.numbers.size() * sizeof(int64_t));
  // Reading all images would take as long as showing them; the ends tell sets apart.
  for (const int64_t number : {subset.numbers.front(), subset.numbers.back()}) {
    const Tensor image = subset.images->image(number).contiguous();
    hash.add(image.data_ptr(), image.nbytes());
  }
  return hash.digits();
}

/// What one of `words` stands for; std::out_of_range for another word.
template <class Value>
Value meant_by(const Words<Value>& words, const std::string& word) {
  if (const Value* value = value_of(words, word)) return *value;
  throw std::out_of_range(word);
}

CalibrateRow row_of(const json& entry) {
  CalibrateRow row;
  row.variant = entry.at("classifier");
  row.input = meant_by(shown_words(), entry.at("input"));
  if (entry.contains("level")) row.level = entry.at("level").get<double>();
  row.measures = calibration::measures_of(entry);
  return row;
}

CalibrateFit fit_of(const json& entry, int64_t classes) {
  return {meant_by(fit_words(), entry.at("method")), classifiers::rescaling_of({{"calibration", entry}}, classes),
          entry.at("images"), entry.at("source")};
}

}  // namespace

json identity_of(const CalibrateConfig& given, const json& weights, const CalibrateData& data) {
  CalibrateConfig config = given;
  json settings = OptionTable("calibrate", calibrate_options(config)).to_json();
  // These change how fast it goes, what is printed and where, not what is found.
  for (const char* key : {"batch", "format", "out", "threads", "quiet"}) settings["calibrate"].erase(key);
  settings["fit"].erase("save");
  json identity = {{"settings", settings}, {"weights", weights}, {"images", hash_of(data.measured)}};
  if (data.fitted) identity["fitted_on"] = hash_of(*data.fitted);
  return identity;
}

UnfinishedCalibration::UnfinishedCalibration(const std::string& out, json identity, int64_t classes)
    : identity_(std::move(identity)) {
  if (out.empty()) return;
  file_ = std::filesystem::path(out) / "calibration.partial";
  if (!std::filesystem::exists(file_)) return;
  const auto damaged = [&] { return DataError(file_.string() + ": is damaged; remove it to begin anew"); };
  try {
    const json kept = json::parse(read_file(file_));
    if (kept.at("identity") != identity_) return;
    for (const json& row : kept.at("rows")) found_.rows.push_back(row_of(row));
    if (kept.contains("fit")) found_.fit = fit_of(kept["fit"], classes);
  } catch (const json::exception&) {
    throw damaged();
  } catch (const std::out_of_range&) {
    throw damaged();
  }
}

void UnfinishedCalibration::keep(const CalibrateResult& result) const {
  if (file_.empty()) return;
  json record = to_json(result);
  record["identity"] = identity_;
  write_atomically(file_, record.dump() + "\n");
}

void UnfinishedCalibration::remove() const {
  if (!file_.empty()) std::filesystem::remove(file_);
}

}  // namespace sextant::commands
