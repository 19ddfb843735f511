// Attacks on the pickle and zip readers that cost nothing to make and everything to follow.
#include "checkpoint/assemble.h"
#include "checkpoint/manifest.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::testing {

using namespace checkpoint;

namespace {

TEST(PickleAttack, DoublingAListFortyTimesIsNotFollowed) {
  for (const std::string& bottom : {tensor("0", 3), text("nothing")}) {
    std::string body = bottom + put(0) + "0";
    for (uint32_t level = 1; level <= 40; ++level)
      body += std::string("](") + get(level - 1) + get(level - 1) + "e" + put(level) + "0";
    const std::string message = refusal(archive(body + get(40), {ones(3)}));
    EXPECT_NE(message.find("over and over"), std::string::npos) << message;
  }
}

TEST(PickleAttack, CopyingALongListAgainAndAgainIsNotFollowed) {
  std::string body = "](";
  for (int i = 0; i < 50000; ++i)
    body +=
        "](K\x01K\x02"
        "e";
  body += std::string("e") + put(0) + global("collections", "OrderedDict") + put(1) + "00](";
  for (int i = 0; i < 50000; ++i) body += get(1) + get(0) + "\x85R";
  const std::string message = refusal(pickle(body + "e"), "a.pkl");
  EXPECT_NE(message.find("multiplies"), std::string::npos) << message;
}

TEST(PickleAttack, ReadingTheSameStoredTensorAgainAndAgainIsNotFollowed) {
  const std::string header =
      std::string("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}X\x0d") +
      std::string(3, '\0') + "little_endian\x88s.";
  const std::string storage =
      tuple({text("storage"), global("torch", "FloatStorage"), text("k"), text("cpu"), number(30000), "N"}) + "Q";
  const std::string stream =
      header + pickle(storage) + pickle(std::string("](") + text("k") + "e") + little_endian(30000, 8) + ones(30000);
  std::string body = std::string("B") + little_endian(stream.size(), 4) + stream + put(0) + "0" +
                     global("torch.storage", "_load_from_bytes") + put(1) + "0](";
  const std::string once = get(1) + get(0) + "\x85R";
  const auto rebuilt = [&](const std::string& loaded) {
    return global("torch._utils", "_rebuild_tensor_v2") +
           tuple({loaded, number(0), tuple({number(3)}), tuple({number(1)}), "\x89", ")"}) + "R";
  };
  const TemporaryFolder folder;
  write_bytes(folder / "a.pkl", pickle(body + rebuilt(once) + "e"));
  EXPECT_EQ(load(folder / "a.pkl").tensors.at("0").sum().item<float>(), 3);
  for (int i = 0; i < 20000; ++i) body += once;
  EXPECT_NE(refusal(pickle(body + "e"), "a.pkl").find("multiplies"), std::string::npos);
}

TEST(PickleAttack, LongNamesInDeepTreesAreNotMultiplied) {
  std::string body = tensor("0", 3) + put(0) + "0" + text(std::string(100000, 'n')) + put(1) + "0](";
  for (int i = 0; i < 20000; ++i) body += std::string("}") + get(1) + get(0) + "s";
  refusal(archive(body + "e", {ones(3)}));
}

TEST(PickleAttack, AnInflatingPickleIsNotInflated) {
  const std::string bomb = std::string("\x80\x02](") + std::string(100 << 20, ']') + "e.";
  const std::string message = refusal(zip({{"archive/data.pkl", bomb, true}}));
  EXPECT_NE(message.find("too many"), std::string::npos) << message;
}

TEST(PickleAttack, OverlappingMembersAreRefused) {
  // Many directory entries for one kernel of compressed data: the classic better zip bomb.
  std::vector<Member> members = {{"archive/data/0", std::string(1 << 20, '\0'), true}};
  members.push_back({"archive/data/0", std::string(1 << 20, '\0'), true, 0});
  EXPECT_NE(refusal(zip(members)).find("two members named"), std::string::npos);
  members[1].name = "archive/data/1";
  EXPECT_NE(refusal(zip(members)).find("contradicts"), std::string::npos);
}

TEST(PickleAttack, GlobalsAreRefusedWhereverTheyStand) {
  for (const char* name : {"os\nsystem",
                           "nt\nsystem",
                           "builtins\neval",
                           "builtins\ngetattr",
                           "builtins\n__import__",
                           "importlib\nimport_module",
                           "subprocess\ncheck_output",
                           "torch.hub\nload",
                           "torch\nload",
                           "torch.jit\nload",
                           "torch.utils.model_zoo\nload_url",
                           "torch._utils\n_rebuild_wrapper_subclass",
                           "pickle\nloads",
                           "functools\nreduce",
                           "operator\nattrgetter",
                           "numpy.testing._private.utils\nrunstring",
                           "torch.nn.modules\n..os.system\n",
                           "types\nCodeType",
                           "marshal\nloads",
                           "webbrowser\nopen"}) {
    const std::string named = std::string("c") + name + "\n";
    refusal(archive(dict({{"w", tensor("0", 3)}, {"x", named}}), {ones(3)}));
    refusal(archive(dict({{"w", tensor("0", 3)}, {"x", named + ")R"}}), {ones(3)}));
    refusal(archive(dict({{"w", tensor("0", 3)}, {"x", named + ")\x81}b"}}), {ones(3)}));
  }
}

TEST(PickleAttack, TypesThatMayBeMentionedMayNotBeCalled) {
  for (const std::string& type :
       {global("builtins", "int"), global("torch", "float32"), global("torch", "FloatStorage")}) {
    const std::string message = refusal(archive(dict({{"w", tensor("0", 3)}, {"x", type + ")R"}}), {ones(3)}));
    EXPECT_NE(message.find("not a function"), std::string::npos) << message;
  }
}

TEST(PickleAttack, PersistentReferencesThatAreNoStoragesAreRefused) {
  for (const std::string& id : {text("0"), tuple({text("module"), text("os.system"), text("a.py"), text("source")}),
                                tuple({text("storage")}), number(3)}) {
    refusal(archive(dict({{"w", id + "Q"}}), {ones(3)}));
  }
}

TEST(PickleAttack, BuildCannotReachIntoPlainValues) {
  for (const char* target : {"]", "K\x01", "N", ")", "\x8f"}) refusal(archive(target + std::string("}b"), {}));
}

TEST(PickleAttack, SparseMemoSlotsCostNothing) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.pt",
              archive("}" + put(0xffffffff) + text("w") + tensor("0", 3) + put(0x7fffffff) + "s", {ones(3)}));
  EXPECT_EQ(load(folder / "a.pt").tensors.size(), 1u);
}

TEST(PickleAttack, TwoTensorsOfOneNameAreRefused) {
  const std::string body = dict({{"a.b", tensor("0", 3)}, {"a", dict({{"b", tensor("0", 3)}})}});
  EXPECT_NE(refusal(archive(body, {ones(3)})).find("two tensors named 'a.b'"), std::string::npos);
}

TEST(ZipAttack, TextAfterTheArchiveIsRefused) { refusal(archive(dict({{"w", tensor("0", 3)}}), {ones(3)}) + "tail"); }

TEST(ZipAttack, UnknownCompressionIsNamed) {
  std::string bytes = archive(dict({{"w", tensor("0", 3)}}), {ones(3)});
  for (std::size_t at = bytes.find("PK\x03\x04"); at != std::string::npos; at = bytes.find("PK\x03\x04", at + 1))
    bytes[at + 8] = 93;
  for (std::size_t at = bytes.find("PK\x01\x02"); at != std::string::npos; at = bytes.find("PK\x01\x02", at + 1))
    bytes[at + 10] = 93;
  EXPECT_NE(refusal(bytes).find("method 93"), std::string::npos);
}

}  // namespace
}  // namespace sextant::testing
