#include "safetensors_header.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "internal/checkpoint/file.h"

namespace sextant::checkpoint {
namespace {

using nlohmann::json;

/// Accepts {"name": {"dtype": s, "shape": [n...], "data_offsets": [n, n]}..., "__metadata__": {s: s...} or null} and
/// nothing else.
class HeaderHandler : public nlohmann::json_sax<json> {
 public:
  SafetensorsHeader header;
  std::string problem;

  bool start_object(std::size_t) override {
    if (depth_ == 0) return ++depth_, true;
    if (depth_ != 1) return refuse("unexpected object");
    depth_ = 2;
    if (!in_metadata()) header.entries.push_back({entry_, {}, {}, {}});
    fields_.clear();
    return true;
  }

  bool end_object() override {
    if (--depth_ == 0) return true;
    if (in_metadata()) return true;
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
      if (!fields_.count(field)) return refuse(std::string(field) + " is missing");
    }
    return header.entries.back().offsets.size() == 2 || refuse("data_offsets are not two numbers");
  }

  bool key(std::string& name) override {
    if (depth_ == 1) {
      entry_ = name;
      return names_.insert(name).second || refuse("is listed twice");
    }
    field_ = name;
    if (!fields_.insert(name).second) return refuse("field " + shown(name) + " is given twice");
    if (in_metadata() || name == "dtype" || name == "shape" || name == "data_offsets") return true;
    return refuse("unknown field " + shown(name));
  }

  bool string(std::string& value) override {
    if (depth_ == 2 && in_metadata()) return header.metadata.emplace(field_, value), true;
    if (depth_ == 2 && field_ == "dtype") return header.entries.back().dtype = value, true;
    return refuse("unexpected string");
  }

  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata() || field_ == "dtype") return refuse("unexpected list");
    depth_ = 3;
    return true;
  }
  bool end_array() override { return --depth_, true; }

  bool number_unsigned(number_unsigned_t value) override {
    if (depth_ != 3) return refuse("unexpected number");
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return refuse(field_ + " is out of range");
    SafetensorsEntry& entry = header.entries.back();
    (field_ == "shape" ? entry.shape : entry.offsets).push_back(static_cast<int64_t>(value));
    return true;
  }
  bool number_integer(number_integer_t) override { return refuse("negative number"); }
  bool number_float(number_float_t, const std::string& text) override {
    return refuse("number " + shown(text) + " is no integer in range");
  }
  // Some writers give a file without metadata a null for it.
  bool null() override { return (depth_ == 1 && in_metadata()) || refuse("unexpected null"); }
  bool boolean(bool) override { return refuse("unexpected boolean"); }
  bool binary(json::binary_t&) override { return refuse("unexpected binary"); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    problem = "the header is not valid JSON in UTF-8 (at byte " + std::to_string(position) + " of it)";
    return false;
  }

 private:
  bool in_metadata() const { return entry_ == "__metadata__"; }
  bool refuse(const std::string& reason) {
    problem = depth_ == 0 ? "the header is not a JSON object" : "in the header, " + shown(entry_) + ": " + reason;
    return false;
  }

  int depth_ = 0;
  std::string entry_, field_;
  std::unordered_set<std::string> names_, fields_;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text) {
  HeaderHandler handler;
  if (!json::sax_parse(text, &handler)) throw Malformed(handler.problem);
  return std::move(handler.header);
}

}  // namespace sextant::checkpoint
