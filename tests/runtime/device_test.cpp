#include "sextant/runtime/device.h"

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "internal/runtime/cuda.h"
#include "sextant/runtime/error.h"
#include "support/errors.h"

namespace sextant {
namespace {

TEST(MissingDevice, SaysWhichBuildIsNeededWhereLibtorchHasNoCuda) {
  EXPECT_EQ(missing_device("cuda", {false, "2.6.0", "", {}}),
            "device 'cuda' is not available: sextant was built with a libtorch for CPUs (2.6.0); build it with PyTorch "
            "for CUDA (in its virtual environment: make TORCH=python), or use cpu");
}

TEST(MissingDevice, PointsToTheDriverWhereThereIsNoCard) {
  EXPECT_EQ(missing_device("cuda:0", {true, "2.11.0", "13.0", {}}),
            "device 'cuda:0' is not available: libtorch 2.11.0 with CUDA 13.0 sees no card; look at nvidia-smi and "
            "CUDA_VISIBLE_DEVICES, or use cpu");
}

TEST(MissingDevice, ListsTheCardsThereAre) {
  EXPECT_EQ(missing_device("cuda:7", {true, "2.11.0", "13.0", {"NVIDIA H100", "NVIDIA A100"}}),
            "device 'cuda:7' is not available: there are cuda:0 (NVIDIA H100) and cuda:1 (NVIDIA A100)");
  EXPECT_EQ(missing_device("cuda:7", {true, "2.11.0", "13.0", {""}}),
            "device 'cuda:7' is not available: there is cuda:0");
}

TEST(Device, AutoIsTheCardIfThereIsOne) {
  const bool card = !cuda_cards().empty();
  EXPECT_EQ(parse_device("auto").is_cuda(), card);
  EXPECT_EQ(device_word(parse_device("auto")), card ? "cuda:0" : "cpu");
  EXPECT_EQ(device_word(at::Device(at::kCUDA, 3)), "cuda:3");
  for (const char* word : {"cpu", "cuda", "cuda:3", "auto"}) EXPECT_EQ(device_word(parse_device_choice(word)), word);
}

TEST(Precision, RefusesOnACpuWhatOnlyAGpuComputes) {
  EXPECT_NE(testing::message_of<Error>([] { parse_precision("fp16", at::kCPU); }).find("fp16 needs a GPU"),
            std::string::npos);
  EXPECT_NE(testing::message_of<Error>([] { parse_precision("tf32", at::kCPU); }).find("tf32 needs a GPU"),
            std::string::npos);
  EXPECT_EQ(parse_precision("tf32", at::Device(at::kCUDA, 0)), Precision::kTf32);
  EXPECT_THROW(parse_precision("double", at::kCPU), UsageError);
}

TEST(Precision, TellsTheDtypeOfTheWeights) {
  EXPECT_EQ(dtype_of(parse_precision("bf16", at::kCPU)), at::kBFloat16);
  EXPECT_EQ(dtype_of(Precision::kTf32), at::kFloat);
  EXPECT_EQ(dtype_of(Precision::kFp16), at::kHalf);
}

TEST(CudaArithmetic, KeepsFloat32UnlessTf32IsAskedFor) {
  set_cuda_arithmetic({});
  EXPECT_FALSE(at::globalContext().allowTF32CuDNN());
  EXPECT_FALSE(at::globalContext().allowTF32CuBLAS());
  set_cuda_arithmetic({true});
  EXPECT_TRUE(at::globalContext().allowTF32CuDNN());
  EXPECT_TRUE(at::globalContext().allowTF32CuBLAS());
  set_cuda_arithmetic({});
}

TEST(CudaArithmetic, LeavesNoChoiceToTimingWhereItIsDeterministic) {
  set_cuda_arithmetic({false, true});
  EXPECT_TRUE(at::globalContext().deterministicCuDNN());
  EXPECT_TRUE(at::globalContext().deterministicAlgorithms());
  EXPECT_FALSE(at::globalContext().benchmarkCuDNN());
  EXPECT_STREQ(std::getenv("CUBLAS_WORKSPACE_CONFIG"), ":4096:8");
  set_cuda_arithmetic({});
  EXPECT_FALSE(at::globalContext().deterministicAlgorithms());
  EXPECT_TRUE(at::globalContext().benchmarkCuDNN());
}

TEST(Versions, AreThoseOfTheLibrariesThatAreLoaded) {
  EXPECT_EQ(torch_version_in("Build settings: TORCH_VERSION=1.13.1, USE_CUDA=OFF, "), "1.13.1");
  EXPECT_EQ(torch_version_in("TORCH_VERSION=2.11.0"), "2.11.0");
  EXPECT_EQ(torch_version_in("nothing"), "");
  EXPECT_EQ(cuda_version_text(13020), "13.2");
  EXPECT_EQ(cuda_version_text(11080), "11.8");
  EXPECT_EQ(cudnn_version_text(91302), "9.13.2");
  EXPECT_EQ(cudnn_version_text(8902), "8.9.2");
  EXPECT_NE(libtorch_version().find('.'), std::string::npos);
}

TEST(OutOfMemory, IsToldFromOtherErrorsByTypeAndByLibtorchsWords) {
  const auto caught = [](const auto& fails) {
    try {
      fails();
    } catch (const std::exception& error) {
      return is_out_of_memory(error);
    }
    return false;
  };
  EXPECT_TRUE(caught([] { throw std::bad_alloc(); }));
  EXPECT_TRUE(caught([] { TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory. Tried to allocate 2 GiB"); }));
  EXPECT_TRUE(caught([] { TORCH_CHECK(false, "cuDNN error: CUDNN_STATUS_ALLOC_FAILED"); }));
  EXPECT_TRUE(caught([] { TORCH_CHECK(false, "DefaultCPUAllocator: can't allocate memory: you tried"); }));
  EXPECT_FALSE(caught([] { TORCH_CHECK(false, "shapes do not match"); }));
  EXPECT_FALSE(caught([] { throw Error("out of memory, says someone else"); }));
}

}  // namespace
}  // namespace sextant
