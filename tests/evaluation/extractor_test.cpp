#include <gtest/gtest.h>

#include "internal/evaluation/hash_of.h"
#include "sextant/evaluation/evaluate.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/golden.h"

namespace sextant::evaluation {
namespace {

using testing::message_of;
using testing::source_dir;

TEST(OpenExtractor, TakesTheBundledNetworkForDigits) {
  const FeatureExtractor extractor = open_extractor({source_dir() / "models/mnist-features"}, Protocol::kOpenAi);
  EXPECT_EQ(extractor.network->channels(), 1);
  EXPECT_EQ(extractor.hash.size(), 32u);
  EXPECT_EQ(extractor.hash, open_extractor({source_dir() / "models/mnist-features"}, Protocol::kPytorchFid).hash);
  EXPECT_NE(message_of([] {
              open_extractor({source_dir() / "models/mnist-classifier"}, Protocol::kOpenAi);
            }).find("not a network of features"),
            std::string::npos);
}

TEST(OpenExtractor, TellsProgramsOfTheSameWeightsApart) {
  const testing::TemporaryFolder folder;
  const auto open = [&](const std::string& archive) {
    const std::filesystem::path model = folder / archive;
    std::filesystem::create_directory(model);
    std::filesystem::copy_file(source_dir() / "tests/models/data" / archive, model / "model.ts");
    testing::write_bytes(model / "config.json",
                         R"({"type": "torchscript", "weights": "model.ts",
                             "model": {"predicts": "logits", "image_size": 12, "in_channels": 3}})");
    return open_extractor({model, "", {}, "output"}, Protocol::kOpenAi);
  };
  const FeatureExtractor scripted = open("classifier_scripted.ts"), traced = open("classifier_traced.ts");
  ASSERT_EQ(hash_of(*scripted.network), hash_of(*traced.network));
  EXPECT_NE(scripted.hash, traced.hash);
}

TEST(HashOf, AFolderSeesWhereItsLinksLead) {
  namespace fs = std::filesystem;
  const testing::TemporaryFolder folder;
  for (const char* name : {"one", "other"}) {
    fs::create_directory(folder / name);
    testing::write_bytes(folder / name / "image", name);
  }
  fs::create_directory(folder / "classes");
  fs::create_directory_symlink(folder / "one", folder / "classes/a");
  const std::string before = hash_of(folder / "classes");
  EXPECT_EQ(hash_of(folder / "classes"), before);
  fs::remove(folder / "classes/a");
  fs::create_directory_symlink(folder / "other", folder / "classes/a");
  EXPECT_NE(hash_of(folder / "classes"), before);
}

}  // namespace
}  // namespace sextant::evaluation
