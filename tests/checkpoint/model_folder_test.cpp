#include "checkpoint/manifest.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::testing {

using namespace checkpoint;

namespace {

class ModelFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_bytes(folder_ / "model.safetensors", "w");
    write_bytes(folder_ / "other.pt", "w");
  }
  std::string refusal(const std::string& config) {
    write_bytes(folder_ / "config.json", config);
    return message_of([&] { open_model_folder(folder_.path()); });
  }
  const TemporaryFolder folder_;
};

TEST_F(ModelFolderTest, HoldsAConfigurationAndItsWeights) {
  write_bytes(folder_ / "config.json", R"({"type": "adm", "model_channels": 64})");
  const ModelFolder model = open_model_folder(folder_.path());
  EXPECT_EQ(model.config.at("model_channels"), 64);
  EXPECT_EQ(model.weights, folder_ / "model.safetensors");
}

TEST_F(ModelFolderTest, MayNameItsWeights) {
  write_bytes(folder_ / "config.json", R"({"type": "adm", "weights": "other.pt"})");
  EXPECT_EQ(open_model_folder(folder_.path()).weights, folder_ / "other.pt");
}

TEST_F(ModelFolderTest, NeverReachesOutsideItself) {
  for (const char* name : {"../secret", "/etc/passwd", "a/../../b", "..", ".", "", "sub/file"}) {
    const std::string message = refusal(nlohmann::json({{"weights", name}}).dump());
    EXPECT_NE(message.find("expected a file of the same folder"), std::string::npos) << message;
  }
}

TEST_F(ModelFolderTest, DamageIsNamed) {
  expect_clear(message_of([&] { open_model_folder(folder_.path()); }), folder_ / "config.json");
  expect_clear(refusal("{\"type\": "), folder_ / "config.json");
  expect_clear(refusal("[1]"), folder_ / "config.json");
  expect_clear(refusal(R"({"weights": 3})"), folder_ / "config.json");
  expect_clear(refusal(R"({"weights": "missing.pt"})"), folder_ / "missing.pt");
  expect_clear(message_of([&] { open_model_folder(folder_ / "nowhere"); }), folder_ / "nowhere");
}

}  // namespace
}  // namespace sextant::testing
