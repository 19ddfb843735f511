# Settings shared by every target, and sextant_module(), which makes one module of the library.
include(GNUInstallDirs)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
option(SEXTANT_PRECOMPILE "Parse libtorch's and the JSON library's headers once for all files" ON)
# Most of a file's time goes into instantiating the same templates, so files of a module share it; their names then must
# not clash, not in anonymous namespaces either.
set(CMAKE_UNITY_BUILD ${SEXTANT_UNITY})
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)

if(SEXTANT_CUDA)
  # For A100 and H100, and for what comes after as code that the driver compiles.
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 90-virtual CACHE STRING "Cards that the CUDA kernels are compiled for")
  enable_language(CUDA)
  set(CMAKE_CUDA_STANDARD 17)  # CMake before 3.26 knows no later one of nvcc
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  find_package(CUDAToolkit REQUIRED)  # for g++, which does not know where nvcc's headers are
endif()
include(SextantTorch)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Threads REQUIRED)

# Warnings and sanitizers are for our own code only: never exported.
add_library(sextant_build_flags INTERFACE)
target_compile_options(sextant_build_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall$<SEMICOLON>-Wextra$<SEMICOLON>-Wpedantic>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 takes "text" + std::string for a copy of half the address space (its bug 105651).
  target_compile_options(sextant_build_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-stringop-overflow>)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15)
  # GCC 13 and 14 take the growth of the std::vector<bool> in libtorch's Function::apply for a copy beyond its end.
  target_compile_options(sextant_build_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-array-bounds$<SEMICOLON>-Wno-stringop-overflow>)
endif()
if(SEXTANT_CUDA)
  # For all files: precompiled headers serve only those with the same definitions.
  target_compile_definitions(sextant_build_flags INTERFACE SEXTANT_CUDA)
endif()
if(SEXTANT_SANITIZE STREQUAL "thread")
  set(sanitizers thread)
elseif(SEXTANT_SANITIZE)
  set(sanitizers address,undefined)
endif()
if(SEXTANT_SANITIZE)
  # With sanitizers GCC takes functions that std::regex moves for uninitialised.
  target_compile_options(sextant_build_flags INTERFACE
    -fsanitize=${sanitizers} -fno-sanitize-recover=undefined -fno-sanitize=vptr -fno-omit-frame-pointer -g1
    -Wno-maybe-uninitialized)
  target_link_options(sextant_build_flags INTERFACE -fsanitize=${sanitizers})
endif()
if(SEXTANT_FUZZ)
  # GCC calls a function at every edge and comparison; without libFuzzer it does nothing.
  set(coverage ${PROJECT_SOURCE_DIR}/tests/fuzz/coverage)
  add_library(sextant_coverage STATIC ${coverage}/nothing.cpp ${coverage}/floats.cpp)
  set_target_properties(sextant_coverage PROPERTIES UNITY_BUILD OFF)
endif()

# libtorch's headers are system headers: their warnings are not ours to fix.
add_library(sextant_torch INTERFACE)
target_include_directories(sextant_torch SYSTEM INTERFACE "$<BUILD_INTERFACE:${TORCH_INCLUDE_DIRS}>")
target_link_libraries(sextant_torch INTERFACE "$<BUILD_INTERFACE:${TORCH_LIBRARIES}>")
if(SEXTANT_CUDA)
  target_include_directories(sextant_torch SYSTEM INTERFACE "$<BUILD_INTERFACE:${CUDAToolkit_INCLUDE_DIRS}>")
endif()
add_library(sextant::torch ALIAS sextant_torch)

# sextant_module(NAME LINKS modules... [PRIVATE_LINKS libraries...])
#
# A module is one static library: every .cpp below src/NAME, the target sextant::NAME. Its headers for everybody are
# include/sextant/NAME, for the modules below it include/internal/NAME; the headers in src/NAME are its own, and no
# other module sees them. It links only modules declared before it, so a wrong dependency does not build.
define_property(GLOBAL PROPERTY SEXTANT_MODULES BRIEF_DOCS "Modules declared so far")
function(sextant_module name)
  cmake_parse_arguments(MODULE "" "" "EXCLUDE;LINKS;PRIVATE_LINKS" ${ARGN})
  set(target sextant_${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  foreach(file ${MODULE_EXCLUDE})
    list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  endforeach()
  add_library(${target} STATIC ${sources})
  add_library(sextant::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  # at::parallel_for is serial, without a word, in code compiled without OpenMP.
  target_link_libraries(${target} PUBLIC ${MODULE_LINKS} sextant::torch
                        PRIVATE ${MODULE_PRIVATE_LINKS} OpenMP::OpenMP_CXX $<BUILD_INTERFACE:sextant_build_flags>)
  if(SEXTANT_FUZZ AND NOT name STREQUAL "kernels")
    target_compile_options(${target} PRIVATE -fsanitize-coverage=trace-pc,trace-cmp)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:sextant_coverage>)
  endif()
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/sextant/${name}/*.h)
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${headers})
  get_property(modules GLOBAL PROPERTY SEXTANT_MODULES)
  if(NOT SEXTANT_PRECOMPILE)
  elseif(modules)
    list(GET modules 0 first)
    target_precompile_headers(${target} REUSE_FROM sextant_${first})
  else()
    target_precompile_headers(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src/precompiled.h)
  endif()
  set_property(GLOBAL APPEND PROPERTY SEXTANT_MODULES ${name})
endfunction()

# sextant_cuda_kernels(NAME): with SEXTANT_CUDA, the .cu files in src/NAME/cuda are part of the module.
function(sextant_cuda_kernels name)
  if(NOT SEXTANT_CUDA)
    return()
  endif()
  file(GLOB kernels CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cuda/*.cu)
  target_sources(sextant_${name} PRIVATE ${kernels})
  set_source_files_properties(${kernels} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON SKIP_PRECOMPILE_HEADERS ON)
endfunction()
