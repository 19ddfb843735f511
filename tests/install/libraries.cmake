# Every library of PROGRAM is found, and one OpenMP runtime is among them: a second one would have threads of its own,
# which at::set_num_threads does not rule.
execute_process(COMMAND ldd ${PROGRAM} OUTPUT_VARIABLE libraries COMMAND_ERROR_IS_FATAL ANY)
if(libraries MATCHES "not found")
  message(FATAL_ERROR "${PROGRAM} lacks a library:\n${libraries}")
endif()
string(REGEX MATCHALL "lib(gomp|iomp5|omp)[-.][^ \n]* => [^ \n]*" runtimes "${libraries}")
list(LENGTH runtimes count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "one OpenMP runtime was expected, not ${count}: ${runtimes}\n${libraries}")
endif()
message(STATUS "${runtimes}")
