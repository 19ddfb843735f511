# scripts/cuda.sh compiles CUDA kernels where libtorch has CUDA and is new enough and nvcc is there, and says why not.
file(REMOVE_RECURSE ${WORK})
file(WRITE ${WORK}/bin/nvcc "#!/bin/sh\n")
file(CHMOD ${WORK}/bin/nvcc PERMISSIONS OWNER_READ OWNER_EXECUTE)

# A libtorch of `version`, with CUDA or not.
function(libtorch name version cuda)
  file(WRITE ${WORK}/${name}/share/cmake/Torch/TorchConfig.cmake "")
  file(WRITE ${WORK}/${name}/version.py "__version__ = '${version}'\n")
  if(cuda)
    file(WRITE ${WORK}/${name}/lib/libtorch_cuda.so "")
  endif()
endfunction()

# What cuda.sh prints for one of them, and says on standard error, has to match.
function(expect torch choice status printed said)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env PATH=${WORK}/bin:/usr/bin:/bin ${SOURCE}/scripts/cuda.sh
                          ${WORK}/${torch} ${choice}
                  RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE error)
  if(NOT code EQUAL status OR NOT output MATCHES "${printed}" OR NOT error MATCHES "${said}")
    message(FATAL_ERROR "${torch} ${choice}: ${code}, printed '${output}', said '${error}'")
  endif()
endfunction()

libtorch(new 2.11.0+cu130 TRUE)
libtorch(old 2.5.1+cu124 TRUE)
libtorch(cpu 2.11.0 FALSE)
expect(new auto 0 "^-DSEXTANT_CUDA=ON -DCMAKE_CUDA_COMPILER=.*/bin/nvcc\n" "with CUDA kernels by")
expect(new off 0 "^$" "^$")
expect(old auto 0 "^$" "without CUDA kernels: they need libtorch 2.6 or newer")
expect(old on 2 "^$" "CUDA=on: they need libtorch 2.6 or newer")
expect(cpu auto 0 "^$" "^$")
expect(cpu on 2 "^$" "CUDA=on: this libtorch is for CPUs")
expect(new perhaps 2 "^$" "'perhaps' is none of them")
