#include "checkpoint/assemble.h"
#include "checkpoint/manifest.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::testing {

using namespace checkpoint;

namespace {

namespace fs = std::filesystem;

std::string npy(const std::string& header, const std::string& data) {
  std::string padded = header + std::string((128 - (header.size() + 11) % 64) % 64, ' ') + "\n";
  return std::string("\x93NUMPY\x01\x00", 8) + little_endian(padded.size(), 2) + padded + data;
}

Tensor read_array(const std::string& descr, const std::string& shape, const std::string& data,
                  const char* fortran = "False") {
  const TemporaryFolder folder;
  const std::string header = "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
  write_bytes(folder / "a.npz", zip({{"x.npy", npy(header, data)}}));
  return load_npz(folder / "a.npz").at("x");
}

TEST(Npz, RoundTripsEveryDtypeAndShape) {
  const TemporaryFolder folder;
  std::vector<std::pair<std::string, Tensor>> arrays;
  for (const at::ScalarType dtype :
       {at::kBool, at::kChar, at::kByte, at::kShort, at::kInt, at::kLong, at::kHalf, at::kFloat, at::kDouble}) {
    arrays.emplace_back(c10::toString(dtype), at::randint(2, {2, 3, 4}, at::kDouble).to(dtype));
  }
  arrays.emplace_back("scalar", at::scalar_tensor(3.5, at::kDouble));
  arrays.emplace_back("vector", at::arange(7));
  arrays.emplace_back("empty", at::empty({0, 8}));
  arrays.emplace_back("transposed", at::randn({5, 6}).t());
  save_npz(folder / "a.npz", arrays);
  const auto copy = load_npz(folder / "a.npz");
  EXPECT_EQ(copy.size(), arrays.size());
  for (const auto& [name, array] : arrays) {
    EXPECT_EQ(copy.at(name).scalar_type(), array.scalar_type()) << name;
    EXPECT_TRUE(copy.at(name).sizes() == array.sizes() && at::equal(copy.at(name), array)) << name;
  }
}

TEST(Npz, RefusesNamesThatWouldBeFolders) {
  const TemporaryFolder folder;
  for (const char* name : {"", "a/b", "a\\b"}) {
    EXPECT_THROW(save_npz(folder / "a.npz", {{name, at::zeros({1})}}), CheckpointError) << name;
  }
  EXPECT_FALSE(fs::exists(folder / "a.npz"));
}

TEST(Npz, GrowsRowByRowAndAppearsAtClose) {
  const TemporaryFolder folder;
  const fs::path path = folder / "samples.npz";
  const Tensor images = at::randint(256, {7, 4, 5, 3}, at::kByte), labels = at::arange(7);
  {
    NpzWriter writer(path);
    writer.begin("arr_0", at::kByte, {4, 5, 3});
    writer.append(images.slice(0, 0, 3));
    writer.append(images.slice(0, 3, 3));
    writer.append(images.slice(0, 3, 7));
    writer.add("arr_1", labels);
    EXPECT_FALSE(fs::exists(path));
    writer.close();
  }
  const auto arrays = load_npz(path);
  EXPECT_TRUE(at::equal(arrays.at("arr_0"), images));
  EXPECT_TRUE(at::equal(arrays.at("arr_1"), labels));
  EXPECT_EQ(NpzReader(path).shape("arr_0"), (std::vector<int64_t>{7, 4, 5, 3}));
}

TEST(Npz, LeavesNothingWithoutClose) {
  const TemporaryFolder folder;
  {
    NpzWriter writer(folder / "a.npz");
    writer.begin("x", at::kFloat, {3});
    writer.append(at::ones({2, 3}));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Npz, WriterRefusesWhatDoesNotFit) {
  const TemporaryFolder folder;
  NpzWriter writer(folder / "a.npz");
  EXPECT_THROW(writer.append(at::ones({2, 3})), ShapeError);
  writer.begin("x", at::kFloat, {3});
  EXPECT_THROW(writer.append(at::ones({2, 4})), ShapeError);
  EXPECT_THROW(writer.append(at::ones({2, 3}, at::kDouble)), ShapeError);
  EXPECT_THROW(writer.begin("x", at::kFloat, {3}), CheckpointError);
  EXPECT_THROW(writer.begin("../x", at::kFloat, {3}), CheckpointError);
  EXPECT_THROW(writer.begin("y", at::kBFloat16, {3}), CheckpointError);
}

TEST(Npz, WidensUnsignedNumbers) {
  EXPECT_TRUE(at::equal(read_array("<u2", "(2,)", little_endian(65535, 2) + little_endian(1, 2)),
                        at::tensor({65535, 1}, at::kInt)));
  EXPECT_TRUE(at::equal(read_array("<u4", "(1,)", little_endian(0xffffffff, 4)), at::tensor({4294967295}, at::kLong)));
  EXPECT_TRUE(at::equal(read_array("<u8", "(1,)", little_endian(5, 8)), at::tensor({5}, at::kLong)));
  EXPECT_TRUE(at::equal(read_array(">u2", "(1,)", "\x01\x02"), at::tensor({258}, at::kInt)));
}

TEST(Npz, RefusesUnsignedNumbersThatDoNotFit) {
  EXPECT_THROW(read_array("<u8", "(1,)", little_endian(UINT64_MAX, 8)), CheckpointError);
}

TEST(Npz, ReadsFortranOrder) {
  const Tensor x = read_array("|u1", "(2, 3)", std::string("\x00\x03\x01\x04\x02\x05", 6), "True");
  EXPECT_TRUE(at::equal(x, at::arange(6, at::kByte).view({2, 3})));
}

TEST(Npz, ReadsAlsoPythonTwosNumbers) {
  EXPECT_EQ(read_array("|u1", "(2L, 1L)", "ab").sizes(), (at::IntArrayRef{2, 1}));
}

TEST(Npz, RefusesComplexNumbersAndBadBools) {
  EXPECT_THROW(read_array("<c8", "(1,)", std::string(8, '\0')), CheckpointError);
  EXPECT_THROW(read_array("|b1", "(2,)", "\x01\x02"), CheckpointError);
}

TEST(Npz, NamesTheArraysThatAreThere) {
  const TemporaryFolder folder;
  save_npz(folder / "a.npz", {{"mu", at::ones({2})}, {"sigma", at::ones({2, 2})}});
  const std::string message = message_of([&] { NpzReader(folder / "a.npz").read("arr_0"); });
  expect_clear(message, folder / "a.npz");
  EXPECT_NE(message.find("'mu', 'sigma'"), std::string::npos) << message;
}

TEST(Npz, DamageAnywhereIsNoticedOrHarmless) {
  const TemporaryFolder folder;
  save_npz(folder / "a.npz", {{"arr_0", at::arange(60, at::kByte).view({5, 4, 3})}, {"arr_1", at::arange(5)}});
  const std::string good = read_bytes(folder / "a.npz");
  for (std::size_t size = 0; size < good.size(); ++size) {
    write_bytes(folder / "b.npz", good.substr(0, size));
    EXPECT_THROW(load_npz(folder / "b.npz"), CheckpointError) << size;
  }
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    write_bytes(folder / "b.npz", bad);
    try {
      load_npz(folder / "b.npz");
    } catch (const CheckpointError& error) {
      expect_clear(error.what(), folder / "b.npz");
    }
  }
}

}  // namespace
}  // namespace sextant::testing
