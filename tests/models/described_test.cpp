// EDM's and EDM2's pickles say themselves what network their weights are of.
#include "described.h"

#include "models/namings.h"

namespace sextant::models {
namespace {

/// A number, a text, a list or a dictionary as a pickle writes it.
std::string pickled(const json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "\x88" : "\x89";
  if (value.is_number_integer()) return number(value.get<int64_t>());
  if (value.is_number()) return "F" + value.dump() + "\n";
  if (value.is_string()) return text(value.get<std::string>());
  std::string items;
  for (const json& part : value) items += pickled(part);
  return "](" + items + "e";
}

class Described : public Namings {
 protected:
  /// Writes {"ema": the object that NVIDIA's persistence makes of a network}.
  std::filesystem::path write(const std::string& class_name, const json& kwargs, const StateDict& weights,
                              const json& args = json::array()) {
    std::vector<std::pair<std::string, std::string>> arguments;
    for (const auto& [key, value] : kwargs.items()) arguments.emplace_back(key, pickled(value));
    TorchSave save;
    const std::string state = testing::dict({{"_parameters", save.dict_of(weights)},
                                             {"_buffers", "}"},
                                             {"_modules", "}"},
                                             {"_init_args", pickled(args)},
                                             {"_init_kwargs", testing::dict(arguments)}});
    const std::string meta = testing::dict({{"type", text("class")},
                                            {"version", number(6)},
                                            {"module_src", text("")},
                                            {"class_name", text(class_name)},
                                            {"state", state}});
    const std::string object =
        testing::global("torch_utils.persistence", "_reconstruct_persistent_obj") + testing::tuple({meta}) + "R";
    save.write(folder_ / "n.pt", testing::dict({{"ema", object}}));
    return folder_ / "n.pt";
  }

  /// The arguments of edm(), of a size that nobody published.
  static json arguments() {
    json kwargs = edm()["model"];
    kwargs.erase("precond");
    return kwargs;
  }
};

TEST_F(Described, NetworkOfAnUnpublishedSizeOpensAsItIs) {
  for (const char* name : {"EDMPrecond", "VPPrecond", "VEPrecond"}) {
    json kwargs = arguments();
    if (std::string(name) == "EDMPrecond") kwargs["sigma_data"] = 1.5;
    json config = {{"type", "edm"}, {"model", kwargs}};
    config["model"]["precond"] = name;
    const StateDict weights = random_weights(config);
    const auto file = write(name, kwargs, weights);
    const Description description = describe(file);
    EXPECT_EQ(description.config, config);
    const auto network = open_network(description, {});
    expect_weights(*network, weights, name);
    const FileGuess found = guess_architecture(checkpoint::load(file));
    EXPECT_TRUE(found.guess.archs.empty());
    EXPECT_EQ(found.guess.config, config);
    EXPECT_NE(found.guess.why.find("the arguments that the file holds: it opens as it is"), std::string::npos);
  }
}

TEST_F(Described, PickleOfTheOriginalProgramHasTheArgumentsThatItShows) {
  const auto file = testing::source_dir() / "tests/golden/models/checkpoints/edm_protocol4.pkl";
  const json kwargs = checkpoint::load(file).config.at("ema").at("init_kwargs");
  const Description description = describe(file);
  EXPECT_EQ(description.config.at("type"), "edm");
  for (const auto& [key, value] : kwargs.items()) EXPECT_EQ(description.config["model"].at(key), value) << key;
  EXPECT_NO_THROW(open_network(description, {}));
}

TEST_F(Described, LatentsAreAsEdm2PublishedThem) {
  const json kwargs = {{"img_resolution", 8},
                       {"img_channels", 4},
                       {"label_dim", 3},
                       {"model_channels", 32},
                       {"channel_mult", {1, 1}},
                       {"num_blocks", 1},
                       {"attn_resolutions", json::array()}};
  const StateDict weights = random_weights({{"type", "edm2"}, {"model", kwargs}});
  json config = describe(write("Precond", kwargs, weights)).config;
  EXPECT_EQ(config["type"], "edm2");
  EXPECT_EQ(config["latents"], arch_config("edm2-img512-xs")["latents"]);
}

TEST_F(Described, ArgumentsOfStrangersAreCheckedAsEveryConfig) {
  const StateDict weights = random_weights(edm());
  const auto refuse = [&](const char* name, const json& changes, const json& args = json::array()) {
    json kwargs = arguments();
    kwargs.update(changes);
    const std::string message = message_of<CheckpointError>([&] { describe(write(name, kwargs, weights, args)); });
    EXPECT_NE(message.find("its tensors fit no known architecture"), std::string::npos) << changes << message;
  };
  refuse("EDMPrecond", {{"num_blocks", 1'000'000'000}});
  refuse("EDMPrecond", {{"num_blocks", 100'000}});
  refuse("EDMPrecond", {{"model_channels", 1LL << 60}});
  refuse("EDMPrecond", {{"model_channels", 64}});
  refuse("EDMPrecond", {{"channel_mult", std::vector<int64_t>(100, 1)}});
  refuse("EDMPrecond", {{"img_resolution", "large"}});
  refuse("EDMPrecond", {{"no_such_argument", 1}});
  refuse("SomebodysPrecond", json::object());
  refuse("EDMPrecond", json::object(), {8, 3});
}

TEST(DescribedArchitecture, AgreesWithThoseOfTheSameHyperParameters) {
  const json published = arch_config("edm-cifar10-32x32-uncond-vp");
  json own = published;
  own["model"]["use_fp16"] = true;
  EXPECT_TRUE(agrees(published, own));
  own["model"]["precond"] = "VPPrecond";  // the same shapes
  EXPECT_FALSE(agrees(published, own));
  EXPECT_FALSE(agrees(arch_config("edm2-img64-s"), published));
}

}  // namespace
}  // namespace sextant::models
