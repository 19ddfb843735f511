# Configuring with a libtorch of the old C++ ABI stops with one message that says so and what to do.
file(REMOVE_RECURSE ${WORK})
set(torch ${WORK}/torch/share/cmake/Torch)
file(WRITE ${torch}/TorchConfig.cmake "set(TORCH_CXX_FLAGS \"-D_GLIBCXX_USE_CXX11_ABI=0\")\n")
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/build -G Ninja -DCMAKE_CXX_COMPILER=${COMPILER}
                        -DTorch_DIR=${torch}
                RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
string(REGEX REPLACE "[ \n]+" " " output "${output}")
if(NOT failed)
  message(FATAL_ERROR "configuring went through")
elseif(NOT output MATCHES "The libtorch in [^ ]*/torch has the C\\+\\+ ABI of before GCC 5")
  message(FATAL_ERROR "configuring failed for another reason:\n${output}")
elseif(NOT output MATCHES "pip install --upgrade torch")
  message(FATAL_ERROR "the message does not say what to do:\n${output}")
endif()
