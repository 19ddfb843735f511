#include "metrics_log.h"

#include <c10/util/StringUtil.h>

#include <cstdio>

#include "internal/runtime/files.h"
#include "sextant/runtime/error.h"

namespace sextant::training {

using nlohmann::json;

namespace {

/// Lines of steps up to `step`; a last line that was cut off is not one.
std::string lines_until(const std::string& text, int64_t step) {
  std::string kept;
  for (std::size_t first = 0; first < text.size();) {
    const std::size_t end = text.find('\n', first);
    if (end == std::string::npos) break;
    const std::string line = text.substr(first, end + 1 - first);
    const json entry = json::parse(line, nullptr, false);
    const bool counted = entry.is_object() && entry.contains("step") && entry["step"].is_number_integer();
    if (counted && entry["step"] <= step) kept += line;
    first = end + 1;
  }
  return kept;
}

}  // namespace

std::string report_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.5g", value);
  return text;
}

json to_json(const StepSums& sums) {
  return {{"numbers", sums.numbers}, {"gradient_norm", sums.norm}, {"steps", sums.steps}};
}

StepSums step_sums_of(const json& object) {
  return {object.at("numbers").get<Numbers>(), object.at("gradient_norm").get<double>(),
          object.at("steps").get<int64_t>()};
}

MetricsLog::MetricsLog(std::filesystem::path path, int64_t step, StepSums sums)
    : path_(std::move(path)), sums_(std::move(sums)) {
  if (std::filesystem::exists(path_)) write_atomically(path_, lines_until(read_file(path_), step));
  file_.open(path_, std::ios::app);
  if (!file_) throw Error("cannot write " + path_.string());
}

void MetricsLog::note(const Numbers& numbers, double norm, double seconds, int64_t images) {
  // Those of a damaged snapshot may be others.
  if (sums_.numbers.size() != numbers.size()) {
    sums_ = {};
    for (const auto& [name, value] : numbers) sums_.numbers.emplace_back(name, 0.0);
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) sums_.numbers[i].second += numbers[i].second;
  sums_.norm += norm;
  ++sums_.steps;
  seconds_ += seconds;
  images_ += images;
}

std::string MetricsLog::write(int64_t step, int64_t steps, double learning_rate, double loss_scale) {
  const auto n = static_cast<double>(std::max<int64_t>(1, sums_.steps));
  const double rate = static_cast<double>(images_) / std::max(seconds_, 1e-9);
  nlohmann::ordered_json line = {{"step", step}};
  std::string text = c10::str("step ", step, "/", steps, ":");
  for (const auto& [name, sum] : sums_.numbers) {
    line[name] = sum / n;
    text += " " + name + " " + report_number(sum / n);
  }
  line["learning_rate"] = learning_rate;
  line["gradient_norm"] = sums_.norm / n;
  line["images_per_second"] = rate;
  if (loss_scale > 0) line["loss_scale"] = loss_scale;
  append(line);
  text += ", gradient norm " + report_number(sums_.norm / n) + ", learning rate " + report_number(learning_rate) +
          ", " + report_number(rate) + " images/s";
  sums_ = {};
  seconds_ = 0;
  images_ = 0;
  return text;
}

void MetricsLog::write_validation(int64_t step, int64_t epoch, const Numbers& numbers) {
  json object = json::object();
  for (const auto& [name, value] : numbers) object[name] = value;
  append({{"step", step}, {"epoch", epoch}, {"validation", object}});
}

void MetricsLog::append(const nlohmann::ordered_json& line) {
  file_ << line.dump() << std::endl;
  if (!file_) throw Error(path_.string() + ": cannot be written; is the disk full?");
}

}  // namespace sextant::training
