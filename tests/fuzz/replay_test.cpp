// Inputs that once crashed a reader, hung it or made it ask for too much: tests/fuzz/inputs/TARGET/.
#include <gtest/gtest.h>

#include "fuzz/targets.h"
#include "internal/runtime/files.h"
#include "support/golden.h"

namespace sextant::fuzz {
namespace {

namespace fs = std::filesystem;

class FuzzTarget : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzTarget, ReadsOrRefusesWhatOnceBrokeIt) {
  const testing::TemporaryFolder folder;
  const fs::path inputs = testing::source_dir() / "tests/fuzz/inputs" / GetParam().name;
  if (fs::exists(inputs)) {
    for (const fs::directory_entry& input : fs::directory_iterator(inputs)) {
      EXPECT_NO_THROW(try_input(GetParam(), read_file(input.path()), folder.path())) << input.path();
    }
  }
  EXPECT_NO_THROW(try_input(GetParam(), "", folder.path())) << "an empty file";
  EXPECT_NO_THROW(try_input(GetParam(), std::string(1000, '\0'), folder.path())) << "a file of zeros";
}

std::string name_of(const ::testing::TestParamInfo<Target>& info) {
  std::string name = info.param.name;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, FuzzTarget, ::testing::ValuesIn(files_targets()), name_of);
INSTANTIATE_TEST_SUITE_P(Settings, FuzzTarget, ::testing::ValuesIn(settings_targets()), name_of);

}  // namespace
}  // namespace sextant::fuzz
