// Attributes as settings, and a guide that climbs them.
#include "common/attributes.h"

#include <fstream>

#include "commands/systems.h"
#include "internal/runtime/files.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant::testing {
namespace {

using commands::parse_attribute_weights;
using commands::parse_attributes;
using nlohmann::json;

const std::vector<std::string> kNames = {"smiling", "male", "young"};

TEST(Attributes, AreReadByName) {
  const Tensor answers = parse_attributes("male=0, smiling=1", kNames);
  EXPECT_TRUE(answers.equal(at::tensor({1.0F, -1.0F, 0.0F}).view({1, 3})));
}

TEST(Attributes, AreReadFromALineForEachImage) {
  const TemporaryFolder folder;
  write_atomically(folder / "a.csv", "young,smiling\r\n1.0,0\r\n,1\r\n0.0,\r\n");
  const Tensor answers = parse_attributes(folder / "a.csv", kNames);
  EXPECT_TRUE(answers.equal(at::tensor({-1.0F, 0.0F, 1.0F, 1.0F, 0.0F, 0.0F, 0.0F, 0.0F, -1.0F}).view({3, 3})));
}

TEST(Attributes, SayInOneLineWhatIsWrong) {
  const auto refused = [](const std::string& text) { return message_of([&] { parse_attributes(text, kNames); }); };
  EXPECT_NE(refused("smilling=1").find("Did you mean 'smiling'?"), std::string::npos) << refused("smilling=1");
  EXPECT_NE(refused("male=2").find("'2' is no answer; use 1 or 0"), std::string::npos);
  EXPECT_NE(refused("male").find("name=value"), std::string::npos);
  EXPECT_NE(refused("male=0,male=1").find("names 'male' twice"), std::string::npos);
  const TemporaryFolder folder;
  write_atomically(folder / "a.csv", "young,male\n1,0\n1\n");
  EXPECT_NE(refused(folder / "a.csv").find("line 3: has 1 cells for 2 names"), std::string::npos);
  write_atomically(folder / "a.csv", "male,young,male\n1,0,0\n");
  EXPECT_NE(refused(folder / "a.csv").find("line 1: 'male' stands there twice"), std::string::npos);
}

TEST(Attributes, AWrongAnswerInTheFirstColumnIsNoNameOfAnImage) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& text) {
    write_atomically(folder / "a.csv", text);
    return message_of([&] { parse_attributes(folder / "a.csv", kNames); });
  };
  EXPECT_NE(refused("male,young\n1,0\nyes,1\n").find("a.csv, line 3: 'yes' is no answer; use 1 or 0"),
            std::string::npos);
  EXPECT_NE(refused("male\n\"\"\nno\n0.png\n").find("line 3: 'no' is no answer"), std::string::npos);
  EXPECT_NE(refused("image,young\na.png,0\n1,0\n").find("'image' is no attribute"), std::string::npos);
}

TEST(Attributes, LeaveOutAColumnOfImages) {
  const TemporaryFolder folder;
  write_atomically(folder / "a.csv", "image,young,male\na.png,TRUE,\nb.png,false,True\n");
  std::vector<std::string> notes;
  const Tensor answers =
      parse_attributes(folder / "a.csv", kNames, [&](const std::string& line) { notes.push_back(line); });
  EXPECT_TRUE(answers.equal(at::tensor({0.0F, 0.0F, 1.0F, 0.0F, 1.0F, -1.0F}).view({2, 3}))) << answers;
  ASSERT_EQ(notes.size(), 1);
  EXPECT_NE(notes[0].find("the column 'image' names images and is left out"), std::string::npos) << notes[0];
  write_atomically(folder / "a.csv", "male,young\ntrue,false\n");  // no column of images
  EXPECT_TRUE(parse_attributes(folder / "a.csv", kNames).equal(at::tensor({0.0F, 1.0F, -1.0F}).view({1, 3})));
}

TEST(Attributes, AreReadFromWhatASpreadsheetWrites) {
  const TemporaryFolder folder;
  write_atomically(folder / "a.csv", "\xEF\xBB\xBF\"young\", \"smiling\" ,male\r\n\"1\",0,\n1,\"\",\"-1\"\n");
  const Tensor answers = parse_attributes(folder / "a.csv", kNames);
  EXPECT_TRUE(answers.equal(at::tensor({-1.0F, 0.0F, 1.0F, 0.0F, -1.0F, 1.0F}).view({2, 3})));
  write_atomically(folder / "a.csv", "\"image\",\"young, or so\"\n\"a \"\"b\"\", c.png\",1\n5\".png,0\n");
  const commands::AttributeTable table = commands::read_attribute_table(folder / "a.csv");
  EXPECT_EQ(table.column_of_images, "image");
  EXPECT_EQ(table.names, std::vector<std::string>{"young, or so"});
  EXPECT_EQ(table.images, (std::vector<std::string>{"a \"b\", c.png", "5\".png"}));
  write_atomically(folder / "a.csv", "young\n\"1\n");
  EXPECT_NE(message_of([&] { parse_attributes(folder / "a.csv", kNames); }).find("line 2: a quote is not closed"),
            std::string::npos);
}

TEST(AttributeWeights, AreAListOrByName) {
  EXPECT_TRUE(parse_attribute_weights("", kNames).empty());
  EXPECT_EQ(parse_attribute_weights("1, 0.5,2", kNames), (std::vector<double>{1, 0.5, 2}));
  EXPECT_EQ(parse_attribute_weights("young=3", kNames), (std::vector<double>{1, 1, 3}));
  EXPECT_NE(message_of([] { parse_attribute_weights("1,2", kNames); }).find("expected 3 numbers"), std::string::npos);
  EXPECT_NE(message_of([] { parse_attribute_weights("old=1", kNames); }).find("is no attribute"), std::string::npos);
}

class AttributeGuide : public Systems {
 protected:
  static void SetUpTestSuite() {
    Systems::SetUpTestSuite();
    json config = tiny_resnet(3, 3);
    config["predicts"] = "attributes";
    config["classes"] = kNames;
    write_model(at("attributes"), config);
  }
  static SampleConfig config(const std::string& attributes) {
    SampleConfig config;
    config.model.path = at("adm");
    config.classifier.path = at("attributes");
    config.guidance.attributes = attributes;
    config.guidance.guide.scale = 20;
    return config;
  }
};

TEST_F(AttributeGuide, DrawsAnythingElseForTheOppositeAnswer) {
  const Tensor yes = draw(config("smiling=1"), out() / "yes");
  const Tensor no = draw(config("smiling=0"), out() / "no");
  EXPECT_FALSE(yes.equal(no));
  const SamplingModels models = open_models(config("smiling=1"));
  const SamplingModels other = open_models(config("smiling=0"));
  const Tensor x = latents_of(models);
  EXPECT_TRUE(models.guide->classifier.logits(x).equal(-other.guide->classifier.logits(x)));
}

TEST_F(AttributeGuide, AsksForAttributesWhereTheyAreJudged) {
  EXPECT_NE(refusal(config(""), out()).find("say which with --attributes, such as \"smiling=1\""), std::string::npos)
      << refusal(config(""), out());
  SampleConfig classes = config("smiling=1");
  classes.classifier.path = at("resnet");
  EXPECT_NE(refusal(classes, out()).find("answers with classes"), std::string::npos) << refusal(classes, out());
}

TEST_F(AttributeGuide, RefusesWhatReadsClasses) {
  SampleConfig several = config("smiling=1");
  several.classifier.path = at("attributes") + "," + at("attributes");
  EXPECT_NE(refusal(several, out()).find("are averaged as classes are"), std::string::npos) << refusal(several, out());
  write_model(at("three"), tiny_resnet(3, 3));
  several.classifier.path = at("three") + "," + at("attributes");
  EXPECT_NE(refusal(several, out()).find("are averaged as classes are"), std::string::npos) << refusal(several, out());
  SampleConfig driven = config("smiling=1");
  driven.guidance.guide.entropy_driven = true;
  EXPECT_NE(refusal(driven, out()).find("divides by the entropy of classes"), std::string::npos)
      << refusal(driven, out());
}

TEST_F(AttributeGuide, SaysWhichAnswersAndWeightsDoNothing) {
  write_atomically(out() / "a.csv", "smiling\n1\n0\n1\n");
  SampleConfig some = config(out() / "a.csv");
  some.sample.count = 2;
  some.guidance.attribute_weights = "male=3";
  const std::vector<std::string> notes = open_models(some).guide->notes;
  const auto said = [&](const std::string& part) {
    return std::any_of(notes.begin(), notes.end(),
                       [&](const std::string& note) { return note.find(part) != note.npos; });
  };
  EXPECT_TRUE(said("for 3 images, of which the first 2 are drawn"));
  EXPECT_TRUE(said("male is not asked for, so its weight does nothing"));
}

}  // namespace
}  // namespace sextant::testing
