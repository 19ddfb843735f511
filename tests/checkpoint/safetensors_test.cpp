#include <fstream>

#include "checkpoint/manifest.h"
#include "internal/checkpoint/file.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::testing {

using namespace checkpoint;

namespace {

/// A safetensors file of a header and data.
std::string file_of(const std::string& header, std::size_t data_bytes) {
  std::string length(8, '\0');
  for (int i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> 8 * i & 0xff);
  return length + header + std::string(data_bytes, '\x01');
}

std::string safetensors_refusal(const std::string& bytes) { return refusal(bytes, "a.safetensors"); }

TEST(Mapped, FilesThatAreWrittenToAreNamedAndReplacedOnesStay) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "a.safetensors";
  const auto save = [](const std::filesystem::path& to, double value) {
    StateDict weights;
    weights.set("w", at::full({4096}, value));
    save_safetensors(to, weights);
  };
  save(path, 1);
  const Checkpoint loaded = load(path);
  check_unchanged();
  save(folder / "b.safetensors", 2);
  std::filesystem::rename(folder / "b.safetensors", path);  // as savers do that take care
  check_unchanged();
  EXPECT_EQ(loaded.weights().at("w")[0].item<float>(), 1);
  {
    const Checkpoint now = load(path);
    std::ofstream(path, std::ios::binary | std::ios::in).write("", 1);  // as cp does
    std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(1));
    EXPECT_NE(message_of<CheckpointError>([] { check_unchanged(); }).find(path.string() + " was written to"),
              std::string::npos);
  }
  check_unchanged();  // it is closed
}

TEST(Safetensors, RoundTripEveryDtypeShapeAndName) {
  const TemporaryFolder folder;
  StateDict original;
  int i = 0;
  for (const at::ScalarType dtype : {at::kBool, at::kChar, at::kByte, at::kShort, at::kInt, at::kLong, at::kHalf,
                                     at::kBFloat16, at::kFloat, at::kDouble}) {
    original.set("t" + std::to_string(i++), at::randint(2, {3, 1, 5}, at::kDouble).to(dtype));
  }
  original.set("scalar", at::scalar_tensor(2.5, at::kFloat));
  original.set("empty", at::empty({0, 3}));
  original.set("transposed", at::randn({4, 6}).t());
  original.set("", at::ones({1}));
  original.set("été \"x\"\n", at::ones({2}));
  save_safetensors(folder / "a.safetensors", original);
  const Checkpoint copy = load(folder / "a.safetensors");
  EXPECT_EQ(copy.format, Format::kSafetensors);
  EXPECT_EQ(copy.tensors.names(), original.names());
  for (const auto& [name, tensor] : original) {
    EXPECT_EQ(copy.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(copy.tensors.at(name), tensor)) << name;
  }
}

TEST(Safetensors, AreMappedNotCopied) {
  const TemporaryFolder folder;
  StateDict tensors;
  tensors.set("a", at::zeros({1000}));
  tensors.set("b", at::zeros({1000}));
  save_safetensors(folder / "a.safetensors", tensors);
  const Checkpoint checkpoint = load(folder / "a.safetensors");
  const auto* a = static_cast<const char*>(checkpoint.tensors.at("a").data_ptr());
  const auto* b = static_cast<const char*>(checkpoint.tensors.at("b").data_ptr());
  EXPECT_EQ(b - a, 4000);
}

TEST(Safetensors, MayHaveANullForMetadata) {
  const TemporaryFolder folder;
  const std::string w = R"("w":{"dtype":"U8","shape":[3],"data_offsets":[0,3]})";
  for (const std::string& header : {R"({"__metadata__":null,)" + w + "}", "{" + w + R"(,"__metadata__":null})"}) {
    write_bytes(folder / "a.safetensors", file_of(header, 3));
    const Checkpoint checkpoint = load(folder / "a.safetensors");
    EXPECT_TRUE(checkpoint.metadata.empty());
    EXPECT_EQ(checkpoint.tensors.names(), std::vector<std::string>{"w"});
  }
  for (const std::string& header : {"{" + w + R"(,"__metadata__":{"a":null}})", std::string(R"({"w":null})")}) {
    EXPECT_NE(safetensors_refusal(file_of(header, 3)).find("unexpected null"), std::string::npos);
  }
}

TEST(Safetensors, MisalignedDataIsCopiedIntoPlace) {
  const TemporaryFolder folder;
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"F32","shape":[2],"data_offsets":[3,11]}})";
  write_bytes(folder / "a.safetensors", file_of(header, 11));
  const Tensor b = load(folder / "a.safetensors").tensors.at("b");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(b.data_ptr()) % 4, 0u);
  EXPECT_EQ(b[0].item<float>(), b[1].item<float>());
}

TEST(Safetensors, KnownButUnsupportedDtypesSaySo) {
  const std::string message =
      safetensors_refusal(file_of(R"({"w":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}})", 4));
  EXPECT_NE(message.find("F8_E4M3, which is not supported"), std::string::npos) << message;
}

TEST(Safetensors, ZeroSizesDoNotHideAnOverflow) {
  safetensors_refusal(
      file_of(R"({"w":{"dtype":"F32","shape":[4294967296,4294967296,4294967296,0],"data_offsets":[0,0]}})", 0));
}

TEST(Safetensors, BoolsOtherThanZeroAndOneAreRefused) {
  std::string bytes = file_of(R"({"w":{"dtype":"BOOL","shape":[4],"data_offsets":[0,4]}})", 4);
  bytes.back() = 7;
  EXPECT_NE(safetensors_refusal(bytes).find("BOOL"), std::string::npos);
}

TEST(Safetensors, UnknownFieldsAreRefused) {
  safetensors_refusal(file_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":1}})", 4));
  safetensors_refusal(file_of(R"({"w":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4));
  safetensors_refusal(file_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,2,4]}})", 4));
  safetensors_refusal(file_of(R"({"w":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4));
}

TEST(Safetensors, NamesInMessagesAreEscapedAndCut) {
  const std::string name = std::string(5000, 'x') + "\\n\\u001b";
  const std::string message =
      safetensors_refusal(file_of("{\"" + name + R"(":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}})", 4));
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

TEST(Safetensors, WhatCannotBeSavedIsRefusedByName) {
  const TemporaryFolder folder;
  const auto refuse = [&](const std::string& name, const Tensor& tensor) {
    StateDict tensors;
    tensors.set(name, tensor);
    expect_clear(message_of([&] { save_safetensors(folder / "a", tensors); }), folder / "a");
  };
  refuse("complex", at::zeros({2}, at::kComplexFloat));
  refuse("__metadata__", at::zeros({2}));
  refuse("\xff", at::zeros({2}));
  expect_clear(message_of([&] { save_safetensors(folder / "a", {}); }), folder / "a");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Safetensors, MissingFilesAndFoldersAreNamed) {
  const TemporaryFolder folder;
  expect_clear(message_of([&] { load(folder / "no.safetensors"); }), folder / "no.safetensors");
  expect_clear(message_of([&] { load(folder.path()); }), folder.path());
}

TEST(StateDict, SuggestsTheNearestName) {
  StateDict tensors;
  tensors.set("conv1.weight", at::zeros({1}));
  const std::string message = message_of([&] { tensors.at("conv1.wieght"); });
  EXPECT_NE(message.find("conv1.weight"), std::string::npos) << message;
}

}  // namespace
}  // namespace sextant::testing
