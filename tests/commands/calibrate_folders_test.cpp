// Calibration on folders of images: which classes they are, what cannot be read, channels and sizes.
#include <nlohmann/json.hpp>

#include "commands/calibrate_fixture.h"
#include "sextant/report/drawing.h"

namespace sextant::testing {
namespace {

class CalibrateFolders : public Calibrate {
 protected:
  /// Every digit of the given classes as a PNG in its class's folder; how many.
  int64_t digits(const std::vector<std::pair<int64_t, std::string>>& classes, int64_t border = 0) {
    int64_t count = 0;
    for (const auto& [label, name] : classes) {
      std::filesystem::create_directories(folder_ / "set" / name);
      for (int64_t i = 0; i < labels_.numel(); ++i) {
        if (labels_[i].item<int64_t>() != label) continue;
        const Tensor image = at::constant_pad_nd(bytes_[i].squeeze(2), {border * (count % 2), border * (count % 2)});
        report::write_png(folder_ / "set" / name / (std::to_string(i) + ".png"), image.unsqueeze(2).contiguous());
        ++count;
      }
    }
    config_.data = folder_ / "set";
    return count;
  }
  /// Measured on the digits of these classes in memory.
  calibration::Measures expected(const std::vector<int64_t>& classes) const {
    std::vector<int64_t> rows;
    for (const int64_t label : classes) {
      for (int64_t i = 0; i < labels_.numel(); ++i) {
        if (labels_[i].item<int64_t>() == label) rows.push_back(i);
      }
    }
    const Tensor chosen = at::tensor(rows, at::kLong);
    const Tensor logits = logits_of(config_.classifier.path, pixels(200)).index_select(0, chosen);
    return measure(logits, labels_.index_select(0, chosen), {});
  }
};

TEST_F(CalibrateFolders, NumbersOfASubsetKeepTheirMeaning) {
  digits({{3, "3"}, {7, "7"}});
  expect_same(go(config_).rows.at(0).measures, expected({3, 7}));
}

TEST_F(CalibrateFolders, NamesAreFoundInTheClassifiersConfig) {
  digits({{3, "Three"}, {7, "seven"}});
  expect_refusal(config_, "2", "has 10 classes but " + config_.data + " has 2");
  const std::filesystem::path named = folder_ / "named";
  std::filesystem::copy(config_.classifier.path, named);
  auto config = nlohmann::json::parse(read_bytes(named / "config.json"));
  config["classes"] = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};
  write_bytes(named / "config.json", config.dump());
  config_.classifier.path = named;
  expect_same(go(config_).rows.at(0).measures, expected({3, 7}));
}

TEST_F(CalibrateFolders, WhatCannotBeReadIsLeftOutWhereAskedFor) {
  const int64_t count = digits({{3, "3"}, {7, "7"}});
  write_bytes(folder_ / "set/3/broken.png", "no picture");
  expect_refusal(config_, "1", "broken.png: is no PNG");
  config_.skip_bad = true;
  const CalibrateResult result = go(config_);
  EXPECT_EQ(result.rows.at(0).measures.count, count);
  expect_same(result.rows.at(0).measures, expected({3, 7}));
}

TEST_F(CalibrateFolders, ImagesOfSeveralSizesAreCutToOne) {
  digits({{3, "3"}, {7, "7"}}, 4);
  expect_refusal(config_, "1", "set image-size");
  config_.image_size = 28;
  expect_same(go(config_).rows.at(0).measures, expected({3, 7}));
}

TEST_F(CalibrateFolders, ColourOfGreyIsReadAsGrey) {
  write(bytes_.expand({-1, -1, -1, 3}).contiguous(), labels_);
  expect_same(go(config_).rows.at(0).measures, expected({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

}  // namespace
}  // namespace sextant::testing
