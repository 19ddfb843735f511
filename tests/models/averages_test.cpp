// Moving averages, in every layout in which they are saved beside the weights.
#include "models/namings.h"

namespace sextant::models {
namespace {

/// Without running statistics, which are no parameters.
StateDict parameters_of(const StateDict& weights) {
  StateDict kept;
  for (const auto& [name, values] : weights) {
    if (!name.ends_with("running_mean") && !name.ends_with("running_var")) kept.set(name, values);
  }
  return kept;
}

StateDict without_dots(const std::string& prefix, const StateDict& weights) {
  StateDict result;
  for (const auto& [name, values] : weights) {
    std::string plain = prefix + name;
    std::erase(plain, '.');
    result.set(plain, values);
  }
  return result;
}

TEST_F(Namings, OfMovingAveragesComeBeforeTheWeights) {
  for (const json& config : {resnet(), adm(), edm()}) {
    const StateDict raw = random_weights(config, 5);
    StateDict average = changed(raw);
    // What an average of parameters alone is loaded as.
    const StateDict parameters = parameters_of(average);
    const StateDict completed = together(raw, parameters);
    struct Layout {
      const char* group;
      std::function<std::string(TorchSave&)> body;
      const StateDict& expected;
    };
    const std::vector<Layout> layouts = {
        {"ema",
         [&](TorchSave& f) {
           return dict({{"model", f.dict_of(raw)}, {"ema", f.dict_of(average)}});
         },
         average},
        {"state_dict_ema",
         [&](TorchSave& f) {
           return dict({{"state_dict", f.dict_of(raw)}, {"state_dict_ema", f.dict_of(average)}});
         },
         average},
        {"model_ema",
         [&](TorchSave& f) {
           return dict({{"model_ema", f.dict_of(average, "module.")}, {"model", f.dict_of(raw, "module.")}});
         },
         average},
        {"ema_state_dict",
         [&](TorchSave& f) {
           return dict({{"ema_state_dict", f.dict_of(average)}, {"model", f.dict_of(raw)}});
         },
         average},
        {"ema.ema_model",
         [&](TorchSave& f) {
           return dict({{"model", f.dict_of(raw)},
                        {"ema", f.dict_of(together(prefixed("online_model.", raw), prefixed("ema_model.", average)))}});
         },
         average},
        {"ema.shadow_params",
         [&](TorchSave& f) {
           return dict({{"ema", dict({{"decay", number(1)}, {"shadow_params", f.list_of(parameters)}})},
                        {"model", f.dict_of(raw)}});
         },
         completed},
        {"ema.shadow",
         [&](TorchSave& f) {
           return dict({{"model", f.dict_of(raw)}, {"ema", dict({{"shadow", f.dict_of(parameters)}})}});
         },
         completed},
        {"callbacks.EMA.ema_weights",
         [&](TorchSave& f) {
           return dict({{"state_dict", f.dict_of(raw, "model.")},
                        {"callbacks", dict({{"EMA", dict({{"ema_weights", f.list_of(average)}})}})}});
         },
         average},
        {"state_dict.model_ema",
         [&](TorchSave& f) {
           const StateDict names = prefixed("model_ema.", without_dots("diffusion_model.", parameters));
           return dict({{"state_dict", f.dict_of(together(prefixed("model.diffusion_model.", raw), names))}});
         },
         completed},
        {"swa_model",
         [&](TorchSave& f) {
           return dict({{"swa_model", f.dict_of(prefixed("module.", average))}, {"model", f.dict_of(raw)}});
         },
         average},
    };
    for (const Layout& layout : layouts) {
      for (const Container container : {Container::kZip, Container::kLegacy}) {
        TorchSave save(container);
        save.write(folder_ / "w.pt", layout.body(save));
        const std::string what = config.at("type").get<std::string>() + " " + layout.group;
        expect_weights(*open("w.pt", config), layout.expected, what);
        EXPECT_EQ(taken_.group, layout.group) << what;
        EXPECT_TRUE(taken_.average) << what;
        ASSERT_FALSE(taken_.notes.empty()) << what;
        EXPECT_NE(taken_.notes[0].find(", a moving average"), std::string::npos) << taken_.notes[0];
        EXPECT_NE(taken_.notes[0].find("the setting weights chooses"), std::string::npos) << taken_.notes[0];
      }
    }
    // The weights themselves for who asks.
    TorchSave save;
    save.write(folder_ / "w.pt", dict({{"model", save.dict_of(raw)}, {"ema", save.dict_of(average)}}));
    expect_weights(*open("w.pt", config, {"model"}), raw, "model");
    EXPECT_FALSE(taken_.average);
  }
}

TEST_F(Namings, OfAnAverageThatDoesNotFitAreMentioned) {
  const StateDict raw = random_weights(resnet());
  StateDict broken = changed(raw);
  broken.set("fc.weight", at::ones({7, 16}));
  TorchSave save;
  save.write(folder_ / "w.pt", dict({{"model", save.dict_of(raw)}, {"ema", save.dict_of(broken)}}));
  expect_weights(*open("w.pt", resnet()), raw, "model");
  ASSERT_EQ(taken_.notes.size(), 2u);
  EXPECT_NE(taken_.notes[1].find("the moving average 'ema' does not fit the network and is not used"),
            std::string::npos)
      << taken_.notes[1];
}

TEST_F(Namings, OfTwoAveragesThatDifferAreRefused) {
  const StateDict raw = random_weights(resnet());
  checkpoint::save_safetensors(
      folder_ / "w.safetensors",
      together(prefixed("model.", raw),
               together(prefixed("ema_fast.", changed(raw)), prefixed("ema_slow.", changed(changed(raw))))));
  const std::string message = message_of<CheckpointError>([&] { open("w.safetensors", resnet()); });
  EXPECT_NE(message.find("'ema_fast' and 'ema_slow'"), std::string::npos) << message;
  open("w.safetensors", resnet(), {"ema_slow"});
  EXPECT_EQ(taken_.group, "ema_slow");
}

}  // namespace
}  // namespace sextant::models
