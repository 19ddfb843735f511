// What config.json says of a convention that was chosen by hand.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sextant/models/classifier.h"

namespace sextant::models {
namespace {

TEST(WithInput, KeepsWhatNobodyChose) {
  const nlohmann::json config = {{"type", "resnet"}, {"input", {{"range", {0, 1}}, {"size", 28}}}};
  EXPECT_EQ(with_input(config, ClassifierInput::kConfig), config);
}

TEST(WithInput, WritesWhatIsReadBack) {
  const auto config = with_input({{"type", "resnet"}}, ClassifierInput::kImageNet, 224);
  EXPECT_EQ(config["input"]["mean"], (std::vector<double>{0.485, 0.456, 0.406}));
  EXPECT_EQ(config["input"]["std"], (std::vector<double>{0.229, 0.224, 0.225}));
  EXPECT_EQ(config["input"]["resized_to"], 224);
  const auto convention = input_convention(ClassifierInput::kConfig, config);
  EXPECT_EQ(convention.low, 0);
  EXPECT_EQ(convention.high, 1);
  EXPECT_EQ(convention.size, 224);
}

TEST(WithInput, KeepsTheUsualSizeBesideTheRange) {
  const nlohmann::json config = {{"input", {{"range", {-1, 1}}, {"size", 28}}}};
  const auto chosen = with_input(config, ClassifierInput::kHalf);
  EXPECT_EQ(chosen["input"]["range"], (std::vector<double>{0, 1}));
  EXPECT_EQ(chosen["input"]["size"], 28);
}

}  // namespace
}  // namespace sextant::models
