// The same weights as people have them: below any prefix, in any wrapper, beside anything.
#include "models/namings.h"

namespace sextant::models {
namespace {

TEST_F(Namings, GiveBitIdenticalLogits) {
  const StateDict weights = random_weights(resnet());
  const Tensor x = at::rand({2, 3, 16, 16}) * 2 - 1;
  struct Naming {
    const char* name;
    Container container;
    std::function<std::string(TorchSave&)> body;
    StateDict named;  ///< of safetensors
    const char* group;
  };
  const StateDict other = file_beside_weights();
  const std::vector<Naming> namings = {
      {"as they are", Container::kSafetensors, {}, weights, ""},
      {"zip", Container::kZip, [&](TorchSave& f) { return f.dict_of(weights); }, {}, ""},
      {"legacy", Container::kLegacy, [&](TorchSave& f) { return f.dict_of(weights); }, {}, ""},
      {"DataParallel", Container::kZip, [&](TorchSave& f) { return f.dict_of(weights, "module."); }, {}, ""},
      {"compiled DataParallel",
       Container::kLegacy,
       [&](TorchSave& f) { return f.dict_of(weights, "_orig_mod.module."); },
       {},
       ""},
      {"Lightning's network and a criterion",
       Container::kLegacy,
       [&](TorchSave& f) {
         return dict({{"epoch", number(3)},
                      {"state_dict", f.dict_of(together(prefixed("model.", weights), prefixed("criterion.", other)))},
                      {"optimizer_states", dict({{"exp_avg", f.dict_of(changed(weights))}})}});
       },
       {},
       "state_dict.model"},
      {"a compiled net beside a loss",
       Container::kSafetensors,
       {},
       together(prefixed("net._orig_mod.", weights), prefixed("loss_fn.", other)),
       "net"},
      {"a backbone", Container::kZip, [&](TorchSave& f) { return f.dict_of(weights, "backbone."); }, {}, "backbone"},
      {"a list",
       Container::kZip,
       [&](TorchSave& f) {
         return "](" + f.dict_of(weights) + dict({{"exp_avg", f.dict_of(changed(weights))}}) + number(5) + "e";
       },
       {},
       "0"},
      {"dictionaries of dictionaries",
       Container::kZip,
       [&](TorchSave& f) {
         return dict({{"run", dict({{"nets", dict({{"classifier", f.dict_of(weights, "encoder.")}})}})},
                      {"ema_decay", number(1)}});
       },
       {},
       "run.nets.classifier.encoder"},
      {"a prefix without a dot", Container::kSafetensors, {}, prefixed("student_", weights), "student_"},
      {"the weights themselves beside an optimiser",
       Container::kZip,
       [&](TorchSave& f) {
         std::string body = f.dict_of(weights);
         body.pop_back();  // the dictionary goes on
         return body + text("optimizer") + dict({{"exp_avg", f.dict_of(changed(weights))}}) + "u";
       },
       {},
       ""},
      {"wrappers in the middle of names",
       Container::kSafetensors,
       {},
       [&] {
         StateDict named;
         for (const auto& [name, values] : weights) {
           const bool inner = name.starts_with("layer1.");
           named.set(inner ? "layer1._checkpoint_wrapped_module." + name.substr(7) : name, values);
         }
         return named;
       }(),
       ""},
  };
  Tensor expected;
  std::string hash;
  for (const Naming& naming : namings) {
    const std::string file = naming.body ? "w.pt" : "w.safetensors";
    if (naming.body) {
      TorchSave save(naming.container);
      save.write(folder_ / file, naming.body(save));
    } else {
      checkpoint::save_safetensors(folder_ / file, naming.named);
    }
    const auto network = open(file, resnet());
    const Tensor logits = dynamic_cast<const networks::ClassifierNetwork&>(*network).forward(x);
    if (!expected.defined()) expected = logits;
    if (hash.empty()) hash = taken_.hash;
    EXPECT_TRUE(at::equal(logits, expected)) << naming.name;
    EXPECT_EQ(taken_.group, naming.group) << naming.name;
    EXPECT_EQ(taken_.hash, hash) << naming.name;
    // The architecture is found likewise.
    EXPECT_EQ(guess_architecture(checkpoint::load(folder_ / file)).guess.config.at("type"), "resnet") << naming.name;
  }
}

TEST_F(Namings, AreSaidInOneLine) {
  const StateDict weights = random_weights(resnet());
  checkpoint::save_safetensors(folder_ / "w.safetensors", together(prefixed("model.module._orig_mod.", weights),
                                                                   prefixed("criterion.", file_beside_weights())));
  open("w.safetensors", resnet());
  ASSERT_EQ(taken_.notes.size(), 1u);
  EXPECT_NE(taken_.notes[0].find("w.safetensors: its weights are 'model'; 'module.' and '_orig_mod.' taken off"),
            std::string::npos)
      << taken_.notes[0];
  checkpoint::save_safetensors(folder_ / "w.safetensors", weights);
  open("w.safetensors", resnet());
  EXPECT_TRUE(taken_.notes.empty());
}

TEST_F(Namings, OfDiffusionModelsAreFoundToo) {
  for (const json& config : {adm(), edm()}) {
    const StateDict weights = random_weights(config, 3);
    TorchSave save;
    save.write(folder_ / "w.pt",
               "](" + dict({{"lr", number(1)}}) + dict({{"net", save.dict_of(weights, "module.denoiser.")}}) + "e");
    expect_weights(*open("w.pt", config), weights, config.at("type"));
    EXPECT_EQ(taken_.group, "1.net.module.denoiser") << config.at("type");
  }
}

TEST_F(Namings, OfTwoDifferentGroupsThatFitAreRefusedWithBothNames) {
  const StateDict a = random_weights(resnet(), 1), b = random_weights(resnet(), 2);
  checkpoint::save_safetensors(folder_ / "w.safetensors", together(prefixed("a.", a), prefixed("b.", b)));
  std::string message = message_of<CheckpointError>([&] { open("w.safetensors", resnet()); });
  EXPECT_NE(message.find("w.safetensors: two different groups fit, 'a' and 'b'; name one as weights"),
            std::string::npos)
      << message;
  expect_weights(*open("w.safetensors", resnet(), {"b"}), b, "b");
  expect_weights(*open("w.safetensors", resnet(), {"", "a."}), a, "prefix a.");

  // A group and the tensors around it; in another container, of another network.
  const StateDict c = random_weights(edm(), 1), d = random_weights(edm(), 2);
  TorchSave save(Container::kLegacy);
  save.write(folder_ / "w.pt", save.dict_of(together(c, prefixed("module.", d))));
  message = message_of<CheckpointError>([&] { open("w.pt", edm()); });
  EXPECT_NE(message.find("'module' and the file itself"), std::string::npos) << message;

  // Two that say the same are no question.
  checkpoint::save_safetensors(folder_ / "w.safetensors", together(prefixed("a.", a), prefixed("b.", a)));
  expect_weights(*open("w.safetensors", resnet()), a, "the same twice");

  // Of two architectures, where none is named.
  const StateDict e = random_weights(adm(), 1);
  checkpoint::save_safetensors(folder_ / "w.safetensors", together(prefixed("x.", e), prefixed("y.", a)));
  message = message_of<CheckpointError>([&] { describe(folder_ / "w.safetensors"); });
  EXPECT_NE(message.find("two groups fit different architectures, 'x'"), std::string::npos) << message;
  EXPECT_NE(message.find("and 'y'"), std::string::npos) << message;
}

TEST_F(Namings, OfWhatIsNotThereListWhatIs) {
  const StateDict a = random_weights(resnet(), 1);
  checkpoint::save_safetensors(folder_ / "w.safetensors", together(prefixed("a.", a), prefixed("ema.", changed(a))));
  std::string message = message_of<UsageError>([&] { open("w.safetensors", resnet(), {"b"}); });
  EXPECT_NE(message.find("weights 'b'"), std::string::npos) << message;
  EXPECT_NE(message.find("it has 'ema' (an average) and 'a'"), std::string::npos) << message;
  message = message_of<UsageError>([&] { open("w.safetensors", resnet(), {"", "net."}); });
  EXPECT_NE(message.find("prefix 'net.'"), std::string::npos) << message;
  EXPECT_NE(message.find("its names begin with 'a', 'ema'"), std::string::npos) << message;
}

TEST_F(Namings, StandInConfigJsonToo) {
  const StateDict a = random_weights(resnet(), 1), b = random_weights(resnet(), 2);
  checkpoint::save_safetensors(folder_ / "w.safetensors", together(prefixed("a.", a), prefixed("b.", b)));
  json config = resnet();
  config["weights_group"] = "b";
  expect_weights(*open("w.safetensors", config), b, "weights_group");
  config = resnet();
  config["prefix"] = "a.";
  expect_weights(*open("w.safetensors", config), a, "prefix");
}

TEST_F(Namings, OfUnknownObjectsAreNamedAndNothingIsExecuted) {
  const StateDict raw = random_weights(resnet());
  for (const auto& [module, name] : {std::pair("ml_collections.config_dict", "ConfigDict"),
                                     std::pair("my.options", "Namespace"), std::pair("collections", "deque")}) {
    TorchSave save;
    save.write(folder_ / "w.pt", dict({{"model", save.dict_of(raw)}, {"args", TorchSave::object(module, name)}}));
    expect_weights(*open("w.pt", resnet()), raw, name);
    ASSERT_FALSE(taken_.notes.empty()) << name;
    EXPECT_NE(taken_.notes.back().find(std::string("objects of ") + module + "." + name + " left out, not executed"),
              std::string::npos)
        << taken_.notes.back();
  }
}

}  // namespace
}  // namespace sextant::models
