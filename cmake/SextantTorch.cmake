# Finds libtorch and the OpenMP runtime that goes with it, for sextant's own build and for projects that link an
# installed sextant: TORCH_LIBRARIES, TORCH_INCLUDE_DIRS and OpenMP::OpenMP_CXX. Torch_DIR or CMAKE_PREFIX_PATH name
# another libtorch than the system's.

# PyTorch's own package wants the whole CUDA toolkit, of the right version, for a PyTorch with CUDA. sextant calls CUDA
# only through libtorch, so such a one is linked by its files: no toolkit, and none of that package's mishaps
# (CUDA::nvToolsExt is gone from CUDA 12.9, and torch 2.5 to 2.7 insist on it).
function(sextant_torch_files root)
  file(STRINGS ${root}/share/cmake/Torch/TorchConfig.cmake abi REGEX "_GLIBCXX_USE_CXX11_ABI=[01]")
  string(REGEX MATCH "_GLIBCXX_USE_CXX11_ABI=[01]" abi "${abi}")
  add_library(sextant_torch_files INTERFACE IMPORTED GLOBAL)
  target_include_directories(sextant_torch_files INTERFACE ${root}/include ${root}/include/torch/csrc/api/include)
  target_compile_definitions(sextant_torch_files INTERFACE ${abi})
  # Without kernels of our own nothing names a symbol of the CUDA part, it registers itself when it is loaded: the linker
  # must not drop it. And it need not find the libraries that come with the driver.
  target_link_libraries(sextant_torch_files INTERFACE ${root}/lib/libtorch_cpu.so ${root}/lib/libc10_cuda.so
                        ${root}/lib/libc10.so)
  target_link_options(sextant_torch_files INTERFACE
    "-Wl,--no-as-needed,${root}/lib/libtorch_cuda.so,--as-needed" -Wl,--allow-shlib-undefined)
endfunction()

# Where TorchConfig.cmake lies, if it is not the system's.
set(sextant_torch_config "")
foreach(folder IN ITEMS ${Torch_DIR} ${CMAKE_PREFIX_PATH})
  foreach(below IN ITEMS . Torch share/cmake/Torch)
    if(NOT sextant_torch_config AND EXISTS ${folder}/${below}/TorchConfig.cmake)
      get_filename_component(sextant_torch_config ${folder}/${below} REALPATH)
    endif()
  endforeach()
endforeach()

# A build folder in which another libtorch was found before: CMake would go on with pieces of it.
if(DEFINED SEXTANT_TORCH_BEFORE AND NOT SEXTANT_TORCH_BEFORE STREQUAL "${sextant_torch_config}")
  unset(Torch_DIR CACHE)
  foreach(found IN ITEMS Caffe2_DIR TORCH_LIBRARY C10_LIBRARY c10_LIBRARY OpenMP_CXX_FLAGS OpenMP_CXX_LIB_NAMES
          OpenMP_gomp_LIBRARY OpenMP_pthread_LIBRARY SEXTANT_GLOO_INCLUDE_DIR SEXTANT_GLOO_BY_DECLARATIONS
          SEXTANT_NCCL_INCLUDE_DIR SEXTANT_NCCL_COMPILES)
    unset(${found} CACHE)
  endforeach()
endif()
get_filename_component(sextant_torch_root "${sextant_torch_config}/../../.." ABSOLUTE)  # "/" for the system's
# Wheels of PyTorch before 2.6 have another std::string than every compiled library of a distribution.
if(sextant_torch_config)
  file(STRINGS ${sextant_torch_config}/TorchConfig.cmake sextant_old_abi REGEX "_GLIBCXX_USE_CXX11_ABI=0")
  if(sextant_old_abi)
    message(FATAL_ERROR "The libtorch in ${sextant_torch_root} has the C++ ABI of before GCC 5 "
                        "(_GLIBCXX_USE_CXX11_ABI=0), and this system's libraries do not link with it. Take a newer one "
                        "(pip install --upgrade torch: 2.7 and later have the usual ABI) or TORCH=system.")
  endif()
endif()
if(sextant_torch_config AND EXISTS ${sextant_torch_root}/lib/libtorch_cuda.so)
  if(NOT TARGET sextant_torch_files)
    sextant_torch_files(${sextant_torch_root})
  endif()
  set(TORCH_LIBRARIES sextant_torch_files)
  get_target_property(TORCH_INCLUDE_DIRS sextant_torch_files INTERFACE_INCLUDE_DIRECTORIES)
else()
  if(sextant_torch_config)
    set(Torch_DIR ${sextant_torch_config})
  endif()
  find_package(Torch REQUIRED)
  get_filename_component(sextant_torch_config ${Torch_DIR} REALPATH)
endif()
set(SEXTANT_TORCH_BEFORE "${sextant_torch_config}" CACHE INTERNAL "the libtorch of the last configuration")

# PyTorch from pip brings its own libgomp. A second one in the process would have threads of its own, which
# at::set_num_threads does not rule.
file(GLOB sextant_torch_gomp ${sextant_torch_root}/lib/libgomp*.so* ${sextant_torch_root}/../torch.libs/libgomp*.so*)
if(sextant_torch_gomp)
  list(GET sextant_torch_gomp 0 sextant_torch_gomp)
  set(OpenMP_gomp_LIBRARY ${sextant_torch_gomp} CACHE FILEPATH "the OpenMP runtime of libtorch" FORCE)
endif()
find_package(OpenMP REQUIRED COMPONENTS CXX)
