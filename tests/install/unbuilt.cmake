# Neither `cmake --install` nor cpack copies anything from a build that is not done; each says so. SOURCE is the tree,
# BUILD a configured build of it, WORK a folder for this test.
file(REMOVE_RECURSE ${WORK})
load_cache(${BUILD} READ_WITH_PREFIX its_ Torch_DIR CMAKE_CXX_COMPILER)
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/build -G Ninja -DCMAKE_BUILD_TYPE=Release -Wno-dev
                        -DCMAKE_CXX_COMPILER=${its_CMAKE_CXX_COMPILER} -DTorch_DIR=${its_Torch_DIR} -DSEXTANT_TESTS=OFF
                RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(code)
  message(FATAL_ERROR "${output}")
endif()

function(refused)
  execute_process(COMMAND ${ARGV} WORKING_DIRECTORY ${WORK}/build
                  RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX MATCHALL "\n +not all of sextant is built: [^\n]* is missing. Run 'make' or [^\n]*build' first\n" said
         "${output}")
  list(LENGTH said lines)
  if(code EQUAL 0 OR NOT lines EQUAL 1)
    message(FATAL_ERROR "${ARGV}: ${code}\n${output}")
  endif()
endfunction()

refused(${CMAKE_COMMAND} --install . --prefix ${WORK}/prefix)
foreach(component IN ITEMS program development)
  refused(${CMAKE_COMMAND} --install . --prefix ${WORK}/prefix --component ${component})
endforeach()
if(EXISTS ${WORK}/prefix)
  message(FATAL_ERROR "something was installed in ${WORK}/prefix")
endif()
if(EXISTS ${WORK}/build/CPackConfig.cmake)
  get_filename_component(tools ${CMAKE_COMMAND} DIRECTORY)
  refused(${tools}/cpack)
  file(GLOB packages ${WORK}/build/*.deb)
  if(packages)
    message(FATAL_ERROR "cpack made ${packages}")
  endif()
endif()
