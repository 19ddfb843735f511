// What weights do not show is said, and what their names or their file's config.json show is understood.
#include "models/namings.h"
#include "models/weights_like.h"

namespace sextant::models {
namespace {

Guess guess_of(const char* arch) { return guess_architecture(weights_like(*build(arch_config(arch)))); }

const char* kActivation = "the activation, which is taken to be OpenAI's QuickGELU; most of open_clip's networks have";

TEST(OpenQuestions, AreSaidOfANamedArchitecture) {
  const Guess clip = guess_of("clip-ViT-B/32");
  EXPECT_EQ(clip.archs, std::vector<std::string>{"clip-ViT-B/32"});
  EXPECT_NE(clip.why.find(kActivation), std::string::npos) << clip.why;
  EXPECT_NE(guess_of("DiT-S/8-256").why.find("; SiT, of the same names and shapes,"), std::string::npos);
  EXPECT_NE(guess_of("sd-vae-ft-mse").why.find("XL's autoencoder, of the same names and shapes, has 0.13025"),
            std::string::npos);
  EXPECT_EQ(guess_of("cifar-resnet20").why.find("to be checked"), std::string::npos);
}

TEST(OpenQuestions, AreNoneOfOpenAisArchives) {
  checkpoint::StateDict weights = weights_like(*build(arch_config("clip-ViT-B/32")));
  weights.set("input_resolution", at::scalar_tensor(224, at::kLong));
  const Guess guess = guess_architecture(weights);
  EXPECT_EQ(guess.archs, std::vector<std::string>{"clip-ViT-B/32"});
  EXPECT_EQ(guess.why.find("to be checked"), std::string::npos) << guess.why;
}

TEST(OpenQuestions, OfAClipThatIsDeducedAreItsActivationAndHeads) {
  const Guess guess = guess_architecture(weights_like(*build(tiny_clip_config())));
  ASSERT_FALSE(guess.config.is_null()) << guess.why;
  EXPECT_NE(guess.why.find("so to be checked: quick_gelu (true is OpenAI's"), std::string::npos) << guess.why;
  EXPECT_EQ(guess.config["model"]["quick_gelu"], true);
  EXPECT_EQ(guess.config["model"]["vision_heads"], 1);
}

TEST_F(Namings, AClipSaysThatItsActivationIsTakenForGranted) {
  json config = tiny_clip_config();
  const StateDict weights = random_weights(config);
  checkpoint::save_safetensors(folder_ / "w.safetensors", weights);
  open("w.safetensors", config);
  ASSERT_EQ(taken_.notes.size(), 1u);
  EXPECT_NE(taken_.notes[0].find(kActivation), std::string::npos) << taken_.notes[0];
  config["model"]["quick_gelu"] = false;
  open("w.safetensors", config);
  EXPECT_TRUE(taken_.notes.empty());
}

TEST_F(Namings, AHeadBehindADropoutIsTheLastLayer) {
  const StateDict weights = random_weights(resnet());
  StateDict listed;
  for (const auto& [name, values] : weights) {
    listed.set(name.rfind("fc.", 0) == 0 ? "fc.1." + name.substr(3) : name, values);
  }
  checkpoint::save_safetensors(folder_ / "w.safetensors", listed);
  expect_weights(*open("w.safetensors", resnet()), weights, "fc.1");
  ASSERT_EQ(taken_.notes.size(), 1u);
  EXPECT_NE(taken_.notes[0].find("what stands beside the last layer, 'fc.1', in its list"), std::string::npos);
  const Guess guess = guess_architecture(listed);
  ASSERT_FALSE(guess.config.is_null()) << guess.why;
  EXPECT_EQ(guess.config["model"]["num_classes"], 5);
  EXPECT_NE(guess.why.find("what stands beside the last layer"), std::string::npos) << guess.why;
  // Two layers with weights are another network.
  listed.set("fc.3.weight", at::ones({5, 5}));
  checkpoint::save_safetensors(folder_ / "w.safetensors", listed);
  EXPECT_THROW(open("w.safetensors", resnet()), CheckpointError);
}

TEST_F(Namings, ANetworkWithoutClassesMaySayNull) {
  json config = adm();
  config["model"]["num_classes"] = nullptr;
  checkpoint::save_safetensors(folder_ / "w.safetensors", random_weights(config));
  expect_weights(*open("w.safetensors", config), random_weights(config), "null");
  config["model"]["num_classes"] = "ten";
  EXPECT_NE(message_of<CheckpointError>([&] { open("w.safetensors", config); }).find("is not a whole number"),
            std::string::npos);
}

TEST_F(Namings, AFolderOfTransformersIsNamed) {
  checkpoint::save_safetensors(folder_ / "w.safetensors", random_weights(resnet()));
  const std::string message = message_of<CheckpointError>([&] {
    open("w.safetensors", {{"architectures", {"CLIPModel"}}, {"model_type", "clip"}});
  });
  EXPECT_EQ(message.rfind("config.json is one of transformers' ([\"CLIPModel\"]), whose layers have other names", 0),
            0u)
      << message;
}

}  // namespace
}  // namespace sextant::models
