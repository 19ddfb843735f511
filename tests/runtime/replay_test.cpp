#include "internal/runtime/replay.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <thread>

#include "sextant/runtime/error.h"

namespace sextant {
namespace {

/// Repeats work by doing it again, on a CPU; like a card it holds nothing of use until it is told to.
class Again : public Recorder {
 public:
  void rehearse(const std::function<void()>& work) override {
    work();
    ++rehearsals;
  }
  std::function<void()> record(const std::function<void()>& work) override {
    work();
    ++records;
    return work;
  }
  int64_t queue() const override { return line; }

  int rehearsals = 0;
  int records = 0;
  int64_t line = 0;
};

/// x^2 t, with t of one number an image, or x^2.
Tensor square(const std::vector<Tensor>& in) {
  const Tensor y = in[0] * in[0];
  return in[1].defined() ? y * in[1].unsqueeze(1) : y;
}

Tensor leaf(const std::vector<float>& values) { return at::tensor(values).unsqueeze(0).requires_grad_(true); }

Tensor gradient(const Tensor& y, const Tensor& x, const Tensor& v, bool keep = false) {
  return torch::autograd::grad({y}, {x}, {v}, keep)[0];
}

TEST(Replay, AnswersAsTheFunctionDoesAndKeepsItsAnswers) {
  Again recorder;
  const Replayed f(square, recorder);
  const Tensor first = f({at::tensor({2.0F, 3.0F}).unsqueeze(0), at::tensor({10.0F})});
  const Tensor second = f({at::tensor({1.0F, -1.0F}).unsqueeze(0), at::tensor({5.0F})});
  EXPECT_TRUE(first.equal(at::tensor({40.0F, 90.0F}).unsqueeze(0)));
  EXPECT_TRUE(second.equal(at::tensor({5.0F, 5.0F}).unsqueeze(0)));
  EXPECT_FALSE(first.requires_grad());
}

TEST(Replay, DifferentiatesInTheFirstInput) {
  Again recorder;
  const Replayed f(square, recorder);
  for (const float slope : {1.0F, -0.5F}) {
    const Tensor x = leaf({2, 3});
    const Tensor y = f({x, at::tensor({10.0F})});
    EXPECT_TRUE(y.detach().equal(at::tensor({40.0F, 90.0F}).unsqueeze(0)));
    EXPECT_TRUE(gradient(y, x, at::full_like(y, slope)).equal(slope * at::tensor({40.0F, 60.0F}).unsqueeze(0)));
  }
  EXPECT_EQ(recorder.records, 2);  // there and back
}

TEST(Replay, TakesTheGradientOfACallThatOthersCameAfter) {
  Again recorder;
  const Replayed f(square, recorder);
  const Tensor a = leaf({2}), b = leaf({5});
  const Tensor of_a = f({a, Tensor()}), of_b = f({b, Tensor()});
  const Tensor one = at::ones({1, 1});
  EXPECT_EQ(gradient(of_a, a, one, /*keep=*/true).item<float>(), 4);
  EXPECT_EQ(gradient(of_b, b, one).item<float>(), 10);
  EXPECT_EQ(gradient(of_a, a, 3 * one).item<float>(), 12);
}

TEST(Replay, RecordsOncePerShapeDtypeAndQueueAndKeepsEight) {
  Again recorder;
  const Replayed f(square, recorder);
  const auto call = [&](int64_t width, at::ScalarType type) {
    EXPECT_TRUE(f({at::full({1, width}, 3, type), Tensor()}).equal(at::full({1, width}, 9, type)));
  };
  for (int again = 0; again < 2; ++again) {
    call(1, at::kFloat);
    call(2, at::kFloat);
    call(1, at::kDouble);
  }
  EXPECT_EQ(recorder.records, 3);
  recorder.line = 7;
  call(1, at::kFloat);
  EXPECT_EQ(recorder.records, 4);
  for (int64_t width = 10; width < 15; ++width) call(width, at::kFloat);
  EXPECT_EQ(recorder.records, 9);
  recorder.line = 0;
  call(2, at::kFloat);
  EXPECT_EQ(recorder.records, 9);
  call(1, at::kFloat);  // the oldest had gone
  EXPECT_EQ(recorder.records, 10);
}

TEST(Replay, RefusesToDifferentiateAGradient) {
  Again recorder;
  const Replayed f(square, recorder);
  const Tensor x = leaf({2});
  const Tensor y = f({x, Tensor()});
  try {
    torch::autograd::grad({y}, {x}, {at::ones_like(y)}, /*retain_graph=*/true, /*create_graph=*/true);
    FAIL() << "differentiated";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("cannot be differentiated again"), std::string::npos);
  }
}

TEST(Replay, LeavesAFunctionWithoutGradientToItsCaller) {
  Again recorder;
  const Replayed f([](const std::vector<Tensor>& in) { return in[0].detach() * 2; }, recorder);
  const Tensor y = f({leaf({4}), Tensor()});
  EXPECT_EQ(y.item<float>(), 8);
  EXPECT_FALSE(y.requires_grad());
  EXPECT_EQ(recorder.records, 0);
}

/// A card on which nothing can be recorded, or no gradient.
class Never : public Again {
 public:
  explicit Never(int first_refused) : left_(first_refused) {}
  std::function<void()> record(const std::function<void()>& work) override {
    if (left_-- == 0) throw NotRecorded("it waits for the device");
    return Again::record(work);
  }

 private:
  int left_;
};

TEST(Replay, CallsEachTimeWhatCannotBeRecorded) {
  for (const int recorded : {0, 1}) {
    Never recorder(recorded);
    int calls = 0;
    const Replayed f(
        [&](const std::vector<Tensor>& in) {
          ++calls;
          return square(in);
        },
        recorder);
    for (const float number : {2.0F, 3.0F}) {
      const Tensor x = leaf({number});
      const int before = calls;
      EXPECT_EQ(gradient(f({x, {}}), x, at::ones({1, 1})).item<float>(), 2 * number);
      EXPECT_GT(calls, before);
    }
    EXPECT_EQ(recorder.rehearsals, 1);
    EXPECT_EQ(recorder.records, recorded);
  }
}

TEST(Replay, ServesThreadsAtOnce) {
  Again recorder;
  const Replayed f(square, recorder);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t thread = 0; thread < wrong.size(); ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 50; ++i) {
        const auto value = static_cast<float>(i + 100 * thread);
        const Tensor x = leaf({value});
        const Tensor y = f({x, Tensor()});
        const bool right = y.item<float>() == value * value;
        wrong[thread] += right && gradient(y, x, at::ones({1, 1})).item<float>() == 2 * value ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(Replay, IsLeftOutOnACpu) { EXPECT_EQ(recorder_of(at::kCPU), nullptr); }

}  // namespace
}  // namespace sextant
