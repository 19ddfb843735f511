# Installs sextant from BUILD into a fresh prefix below WORK, then builds and runs a project that finds it there.
file(REMOVE_RECURSE ${WORK})
function(step)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(failed)
    message(FATAL_ERROR "${ARGV}\n${output}")
  endif()
endfunction()

# A target that must not compile, because of `reason`.
function(refused target reason)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build --target ${target}
                  RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT failed)
    message(FATAL_ERROR "${target} compiled")
  elseif(NOT output MATCHES "${reason}")
    message(FATAL_ERROR "${target} failed, but not for ${reason}\n${output}")
  endif()
endfunction()

step(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
# Without debug information: a third of the time.
step(${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/build -G Ninja -DCMAKE_BUILD_TYPE=None
     -DCMAKE_PREFIX_PATH=${WORK}/prefix -DTorch_DIR=${TORCH})
step(${CMAKE_COMMAND} --build ${WORK}/build)

# Small models, each guided by its program.
file(COPY ${SOURCE}/models DESTINATION ${WORK})
set(run ${WORK}/build)
set(models ${WORK}/models)
file(COPY ${models}/resnet/config.json DESTINATION ${models}/another-resnet)
step(${run}/fill ${models}/adm ${models}/edm ${models}/dit ${models}/vae ${models}/resnet ${models}/another-resnet)
step(${run}/adm ${models}/adm ${models}/resnet ${WORK}/adm.npz)
step(${run}/check ${WORK}/adm.npz 16)
step(${run}/adm ${models}/adm ${models}/another-resnet ${WORK}/another.npz)
step(${run}/check ${WORK}/another.npz 16)
execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${WORK}/adm.npz ${WORK}/another.npz
                RESULT_VARIABLE differ OUTPUT_QUIET ERROR_QUIET)
if(NOT differ EQUAL 1)
  message(FATAL_ERROR "two classifiers draw the same images: the guide does nothing (${differ})")
endif()
set(bundled ${SOURCE}/../../../models)  # as the tutorial does
step(${run}/adm ${bundled}/mnist-adm ${bundled}/mnist-classifier ${WORK}/digits.npz)
step(${run}/check ${WORK}/digits.npz 28)
step(${run}/edm ${models}/edm ${models}/resnet ${WORK}/edm.npz)
step(${run}/check ${WORK}/edm.npz 16)
step(${run}/latent ${models}/dit ${models}/vae ${models}/resnet ${WORK}/latent.npz)
step(${run}/check ${WORK}/latent.npz 16)

step(${CMAKE_COMMAND} --build ${WORK}/build --target well_spelt)
refused(misspelt_score "is_score_name|a score's name is one of")
refused(misspelt_setting "not a member|no member named")
refused(misspelt_schedule "not a member|no member named")
