#include "unforeseen.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

namespace sextant::cli {
namespace {

/// What is said of the exception that `action` throws.
template <class Action>
std::string said_of(Action&& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return unforeseen(error);
  }
  return "nothing was thrown";
}

TEST(Unforeseen, ErrorsOfLibtorchAreOneLineWithoutStackFrames) {
  const std::string slice = said_of([] { at::ones({1, 2}).narrow(1, 0, 3); });
  EXPECT_EQ(slice.find('\n'), std::string::npos) << slice;
  EXPECT_EQ(slice.find("frame #"), std::string::npos) << slice;
  EXPECT_NE(slice.find("length (3)"), std::string::npos) << slice;
  EXPECT_NE(slice.find("please report it"), std::string::npos) << slice;
  const std::string shape = said_of([] { at::ones({3}).view({2, 2}); });
  EXPECT_EQ(shape.find('\n'), std::string::npos) << shape;
  EXPECT_NE(shape.find("please report it"), std::string::npos) << shape;
}

TEST(Unforeseen, WantOfMemoryIsNoBug) {
  const std::string plain = said_of([] { throw std::bad_alloc(); });
  EXPECT_EQ(plain, "out of memory; a smaller --batch needs less");
  const std::string torch = said_of([] { at::empty({int64_t{1} << 60}, at::kByte); });
  EXPECT_EQ(torch.rfind("out of memory; a smaller --batch needs less", 0), 0) << torch;
  EXPECT_EQ(torch.find('\n'), std::string::npos) << torch;
}

TEST(Unforeseen, WhatDeterministicForbidsIsNamed) {
  EXPECT_EQ(
      said_of([] {
        TORCH_CHECK(false, "adaptive_avg_pool2d_backward_cuda does not have a deterministic implementation, but");
      }),
      "--deterministic: libtorch's adaptive_avg_pool2d_backward_cuda has no deterministic form on a GPU; leave it "
      "out");
}

TEST(Unforeseen, FilesAreNamedWithTheSystemsReason) {
  EXPECT_EQ(said_of([] { static_cast<void>(std::filesystem::last_write_time("/nowhere/at/all")); }),
            "cannot use /nowhere/at/all: No such file or directory");
}

TEST(Unforeseen, OthersAreToBeReported) {
  const std::string json = said_of([] { nlohmann::json::parse("{").at("x"); });
  EXPECT_NE(json.find("please report it"), std::string::npos) << json;
  EXPECT_EQ(json.find('\n'), std::string::npos) << json;
  EXPECT_EQ(said_of([] { throw std::runtime_error(""); }).rfind("no message", 0), 0);
  EXPECT_EQ(said_of([] { throw std::out_of_range("one\ntwo"); }).rfind("one; this is", 0), 0);
}

}  // namespace
}  // namespace sextant::cli
