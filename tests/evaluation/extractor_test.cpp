#include <gtest/gtest.h>

#include "sextant/evaluation/evaluate.h"
#include "support/errors.h"
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

}  // namespace
}  // namespace sextant::evaluation
