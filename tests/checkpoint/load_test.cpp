// What load() makes of the wrappers and objects that training scripts leave in checkpoints.
#include "checkpoint/assemble.h"
#include "checkpoint/manifest.h"
#include "sextant/checkpoint/checkpoint.h"

namespace sextant::testing {

using namespace checkpoint;

namespace {

class Load : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& body) {
    write_bytes(folder_ / "a.pt", archive(body, {ones(3), ones(3)}));
    return folder_ / "a.pt";
  }
  std::vector<std::string> names(const std::string& body) { return load(file(body)).weights().names(); }

  using Names = std::vector<std::string>;
  const std::string w_ = tensor("0", 3);
  const TemporaryFolder folder_;
};

/// An instance of a class, made without calling it.
std::string object(const std::string& module, const std::string& name, const std::string& state) {
  return global(module, name) + ")\x81" + state + "b";
}

std::string module_state(const std::string& parameters, const std::string& modules = "}") {
  return dict({{"training", "\x88"}, {"_parameters", parameters}, {"_buffers", "}"}, {"_modules", modules}});
}

TEST_F(Load, UnwrapsTheMovingAverageFirst) {
  EXPECT_EQ(names(dict({{"model", dict({{"w", w_}})}, {"ema", dict({{"e", w_}})}})), Names{"e"});
  EXPECT_EQ(names(dict({{"model", dict({{"w", w_}})}, {"epoch", number(3)}})), Names{"w"});
  EXPECT_EQ(names(dict({{"model", dict({{"w", w_}})}, {"state_dict", dict({{"s", w_}})}})), Names{"s"});
  EXPECT_EQ(names(dict({{"model_state_dict", dict({{"m", w_}})}, {"optimizer", dict({{"o", w_}})}})), Names{"m"});
}

TEST_F(Load, SkipsAWrapperWithoutTensors) {
  EXPECT_EQ(names(dict({{"ema", "}"}, {"model", dict({{"w", w_}})}})), Names{"w"});
  EXPECT_EQ(names(dict({{"ema", "N"}, {"model", dict({{"w", w_}})}})), Names{"w"});
}

TEST_F(Load, DoesNotTakeALayerForAWrapper) {
  EXPECT_EQ(names(dict({{"model.w", w_}, {"model.b", w_}})), (Names{"model.w", "model.b"}));
  EXPECT_EQ(names(dict({{"model", w_}, {"bias", w_}})), (Names{"model", "bias"}));
}

TEST_F(Load, DropsAPrefixThatEveryNameCarries) {
  EXPECT_EQ(names(dict({{"module.a", w_}, {"module.b", w_}})), (Names{"a", "b"}));
  EXPECT_EQ(names(dict({{"module.a", w_}, {"b", w_}})), (Names{"module.a", "b"}));
  EXPECT_EQ(names(dict({{"state_dict", dict({{"module.a", w_}})}})), Names{"a"});
}

TEST_F(Load, DropsThePrefixesOfWrappersAroundWrappers) {
  for (const std::string prefix : {"_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "module.module."}) {
    EXPECT_EQ(names(dict({{prefix + "a", w_}, {prefix + "b", w_}})), (Names{"a", "b"})) << prefix;
    EXPECT_EQ(names(dict({{"state_dict", dict({{prefix + "a", w_}})}, {"epoch", number(3)}})), Names{"a"}) << prefix;
  }
}

TEST_F(Load, KnowsTheMovingAverageByItsUsualNames) {
  for (const std::string average : {"model_ema", "state_dict_ema", "ema_state_dict", "ema_model"}) {
    for (const std::string raw : {"model", "state_dict", "model_state_dict"}) {
      EXPECT_EQ(names(dict({{raw, dict({{"w", w_}})}, {average, dict({{"e", w_}})}})), Names{"e"}) << average << raw;
    }
  }
}

TEST_F(Load, ReadsAWholeModuleAsItsStateDict) {
  const std::string linear =
      object("torch.nn.modules.linear", "Linear", module_state(dict({{"weight", w_}, {"bias", "N"}})));
  const std::string net = object("torch.nn.modules.container", "Sequential", module_state("}", dict({{"0", linear}})));
  EXPECT_EQ(names(net), Names{"0.weight"});
  EXPECT_EQ(names(dict({{"ema", net}})), Names{"0.weight"});
  EXPECT_EQ(load(file(net)).config.at("class"), "torch.nn.modules.container.Sequential");
}

TEST_F(Load, LeavesOutBuffersThatAreNotPersistent) {
  const std::string state = dict({{"_parameters", "}"},
                                  {"_buffers", dict({{"kept", w_}, {"dropped", w_}})},
                                  {"_non_persistent_buffers_set", std::string("\x8f(") + text("dropped") + "\x90"},
                                  {"_modules", "}"}});
  EXPECT_EQ(names(object("torch.nn.modules.batchnorm", "BatchNorm2d", state)), Names{"kept"});
}

TEST_F(Load, IgnoresLightningsCallbacks) {
  const std::string callback = global("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint");
  const std::string callbacks = std::string("}") + callback + dict({{"best", number(1)}}) + "s";
  EXPECT_EQ(names(dict({{"callbacks", callbacks}, {"state_dict", dict({{"w", w_}})}})), Names{"w"});
}

TEST_F(Load, LeavesOutComplexNumbersAmongTheSettings) {
  const std::string real(std::string("G") + std::string("\x3f\xf0\0\0\0\0\0\0", 8));  // 1.0
  for (const char* module : {"builtins", "__builtin__"}) {
    const std::string number = global(module, "complex") + tuple({real, real}) + "R";
    const std::string whole = dict({{"state_dict", dict({{"w", w_}})}, {"hyper_parameters", dict({{"c", number}})}});
    EXPECT_EQ(names(whole), Names{"w"}) << module;
  }
}

TEST_F(Load, IgnoresTheMetadataOfAStateDict) {
  const std::string state = global("collections", "OrderedDict") + ")R(" + text("w") + w_ + "u" +
                            dict({{"_metadata", dict({{"", dict({{"version", number(1)}})}})}}) + "b";
  EXPECT_EQ(names(state), Names{"w"});
}

TEST_F(Load, BringsTensorsOfAnyDeviceToTheCpu) {
  const Tensor w = load(file(dict({{"w", tensor("0", 3, "cuda:1")}}))).weights().at("w");
  EXPECT_TRUE(w.device().is_cpu());
  EXPECT_EQ(w.sum().item<float>(), 3);
}

TEST_F(Load, ReadsUntypedStoragesOfNewerReleases) {
  const std::string storage =
      tuple({text("storage"), global("torch.storage", "UntypedStorage"), text("0"), text("cpu"), number(12)}) + "Q";
  const std::string w = global("torch._utils", "_rebuild_tensor_v3") +
                        tuple({storage, number(1), tuple({number(2)}), tuple({number(1)}), "\x89", ")",
                               global("torch", "float32"), "}"}) +
                        "R";
  EXPECT_EQ(load(file(dict({{"w", w}}))).weights().at("w").sum().item<float>(), 2);
}

TEST_F(Load, ReadsComplexTensors) {
  const std::string w = tensor("0", 2, "cpu", global("torch", "ComplexFloatStorage"));
  write_bytes(folder_ / "a.pt", archive(dict({{"w", w}}), {ones(4)}));
  EXPECT_TRUE(at::equal(at::view_as_real(load(folder_ / "a.pt").weights().at("w")), at::ones({2, 2})));
}

TEST_F(Load, RefusesAUsersOwnClassWithAdvice) {
  const auto path = file(object("models.resnet", "ResNet", module_state(dict({{"w", w_}}))));
  const std::string message = message_of([&] { load(path).weights(); });
  expect_clear(message, path);
  EXPECT_NE(message.find("models.resnet.ResNet"), std::string::npos) << message;
  EXPECT_NE(message.find("state_dict()"), std::string::npos) << message;
}

TEST_F(Load, LeavesOutObjectsOfUnknownClassesAndNamesThem) {
  const std::string built = "}" + text("lr") + number(3) + "sb";
  const std::string kept = ")\x81" + built;
  const struct {
    std::string object, name;
  } cases[] = {
      {global("ml_collections.config_dict.config_dict", "ConfigDict") + kept,
       "ml_collections.config_dict.config_dict.ConfigDict"},
      {global("functools", "partial") + tuple({global("torch.nn.functional", "silu")}) + "R" +
           tuple({global("torch.nn.functional", "silu"), ")", "}", "N"}) + "b",
       "functools.partial"},
      {global("collections", "deque") + ")R(" + number(1) + number(2) + "e", "collections.deque"},
      {global("options.base", "TrainNamespace") + kept, "options.base.TrainNamespace"},
      {std::string("(i__main__\nConfig\n") + built, "__main__.Config"},
      {std::string("(") + global("my.enums", "Mode") + number(1) + "o", "my.enums.Mode"},
      {global("yacs.config", "CfgNode") + ")\x81(" + text("lr") + number(3) + "u", "yacs.config.CfgNode"},
      {global("torch.utils.data.sampler", "RandomSampler") + kept, "torch.utils.data.sampler.RandomSampler"},
  };
  for (const auto& [object, name] : cases) {
    const Checkpoint read = load(file(dict({{"config", object}, {"state_dict", dict({{"w", w_}})}, {"epoch", "N"}})));
    EXPECT_EQ(read.weights().names(), Names{"w"}) << name;
    EXPECT_EQ(read.unread, Names{name});
    EXPECT_EQ(read.config.at("config").at("class"), name);
  }
  EXPECT_TRUE(load(file(dict({{"w", w_}}))).unread.empty());
}

TEST_F(Load, DoesNotLookForTensorsWithinAnUnknownObject) {
  const std::string model = object("models.resnet", "ResNet", module_state(dict({{"w", w_}})));
  const Checkpoint read = load(file(dict({{"model", model}, {"state_dict", dict({{"s", w_}})}})));
  EXPECT_EQ(read.tensors.names(), Names{"state_dict.s"});
  EXPECT_EQ(read.unread, Names{"models.resnet.ResNet"});
}

TEST_F(Load, SaysOfArraysOfNumPyWhatTheyAre) {
  save_npz(folder_ / "a.npz", {{"w", at::ones({3})}});
  const std::string message = message_of([&] { load(folder_ / "a.npz"); });
  EXPECT_NE(message.find("is an .npz of NumPy arrays; save the weights as safetensors"), std::string::npos) << message;
}

TEST_F(Load, CallsAPlainPickleOfStoragesIncomplete) {
  write_bytes(folder_ / "a.pkl", pickle(dict({{"w", w_}})));
  EXPECT_NE(message_of([&] { load(folder_ / "a.pkl").weights(); }).find("refers to storage"), std::string::npos);
}

}  // namespace
}  // namespace sextant::testing
