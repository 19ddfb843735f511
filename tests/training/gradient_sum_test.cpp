// Gradients of two processes, played by two threads, with a group of their own in the part of the card's.
#include "gradient_sum.h"

#include <array>
#include <thread>

#include "support/group_job.h"
#include "training/tiny_training.h"

namespace sextant::testing {
namespace {

using namespace training;

/// Large enough for two buckets: the stem's parameters are alone in the second.
std::shared_ptr<networks::Network> network_of_two_buckets() {
  nlohmann::json config = kTinyClassifier;
  config["model"]["width"] = 320;
  return tiny_network(config);
}

Tensor image(int64_t rank) { return at::linspace(-1, 1 + static_cast<double>(rank), 36).view({1, 1, 6, 6}); }

void pass(networks::Network& network, int64_t rank) {
  dynamic_cast<networks::ClassifierNetwork&>(network).forward(image(rank)).square().sum().backward();
}

struct Outcome {
  Tensor sum;
  std::string note, before_the_rest, error;
};

/// Both ranks' steps at the same time. The switch as rank r has it is switches[r].
std::vector<Outcome> step(const std::filesystem::path& notes, const std::array<const char*, 2>& switches) {
  const distributed::DeviceBackend cards = stand_in_for_cards(notes);
  const std::string port = free_port();
  std::vector<Outcome> outcomes(2);
  const auto process = [&](int64_t rank) {
    Outcome& outcome = outcomes[static_cast<std::size_t>(rank)];
    const std::map<std::string, std::string> variables = {
        {"MASTER_ADDR", "127.0.0.1"},
        {"MASTER_PORT", port},
        {"SEXTANT_TIMEOUT", "60"},
        {"SEXTANT_CUDA_KERNELS", switches[static_cast<std::size_t>(rank)]}};
    const auto variable = [&variables](const std::string& name) -> std::optional<std::string> {
      return variables.count(name) ? std::optional(variables.at(name)) : std::nullopt;
    };
    try {
      distributed::Group group(world(rank, 2), variable, cards);
      const auto network = network_of_two_buckets();
      Weights weights(*network, at::kFloat);
      GradientSum gradient(weights, group);
      outcome.note = gradient.note();
      gradient.begin();
      pass(*network, rank);
      outcome.before_the_rest = noted(notes, rank);
      gradient.send_rest();
      outcome.sum = gradient.take(0.5);
    } catch (const std::exception& error) {
      outcome.error = error.what();
    }
  };
  std::thread other(process, 1);
  process(0);
  other.join();
  return outcomes;
}

Tensor expected() {
  Tensor sum;
  for (const int64_t rank : {0, 1}) {
    const auto network = network_of_two_buckets();
    Weights weights(*network, at::kFloat);
    pass(*network, rank);
    const Tensor one = weights.take_gradient(0.5);
    sum = rank == 0 ? one : sum + one;
  }
  return sum;
}

TEST(GradientSum, SendsBucketsToTheCardsGroupWhileTheBackwardPassRuns) {
  const TemporaryFolder folder;
  const auto outcomes = step(folder.path() / "noted", {"1", "1"});
  const Tensor sum = expected();
  for (const Outcome& outcome : outcomes) {
    ASSERT_EQ(outcome.error, "");
    EXPECT_EQ(outcome.note, "");
    EXPECT_EQ(outcome.before_the_rest, "sss");  // one to open with
    EXPECT_TENSOR_NEAR(outcome.sum, sum, (Tolerance{1e-5, 1e-5}));
  }
  EXPECT_TRUE(outcomes[0].sum.equal(outcomes[1].sum));
}

TEST(GradientSum, IsTheSameByTheCpusGroup) {
  const TemporaryFolder folder;
  const auto by_card = step(folder.path() / "card", {"1", "1"});
  const auto by_cpu = step(folder.path() / "cpu", {"", ""});
  ASSERT_EQ(by_cpu[0].error, "");
  EXPECT_EQ(by_cpu[0].before_the_rest, "");
  EXPECT_TRUE(by_cpu[0].sum.equal(by_card[0].sum));
}

TEST(GradientSum, StaysOnTheCpuWhereOneProcessLacksTheSwitch) {
  const TemporaryFolder folder;
  const auto outcomes = step(folder.path() / "noted", {"1", ""});
  ASSERT_EQ(outcomes[0].error, "");
  for (const Outcome& outcome : outcomes) {
    EXPECT_EQ(outcome.note,
              "gradients are added on the CPU by Gloo: 1 of 2 processes have stand-in and SEXTANT_CUDA_KERNELS=1");
  }
  EXPECT_EQ(outcomes[0].before_the_rest, "");
  EXPECT_TENSOR_NEAR(outcomes[0].sum, expected(), (Tolerance{1e-5, 1e-5}));
}

}  // namespace
}  // namespace sextant::testing
