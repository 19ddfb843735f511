# What a test's program finds in its environment under ThreadSanitizer. GCC's OpenMP runtime is not instrumented, so
# each parallel loop would look like a race. LLVM's takes its place, which understands what GCC compiles, and its tool
# Archer tells the sanitizer where a team begins, waits and ends. It does not bear a fork, so tests that fork have teams of
# one thread, nor an end of the program amid a team, which waiting asleep does without.
if(SEXTANT_SANITIZE STREQUAL "thread")
  file(GLOB archers /usr/lib/llvm-*/lib/libarcher.so)
  list(SORT archers COMPARE NATURAL ORDER DESCENDING)
  if(NOT archers)
    message(FATAL_ERROR "ThreadSanitizer sees into parallel loops by LLVM's OpenMP runtime: install libomp-dev")
  endif()
  list(GET archers 0 archer)
  get_filename_component(directory ${archer} DIRECTORY)
  set(SEXTANT_TEST_ENVIRONMENT LD_PRELOAD=${directory}/libomp.so OMP_TOOL_LIBRARIES=${archer} OMP_WAIT_POLICY=passive
      TSAN_OPTIONS=ignore_noninstrumented_modules=1)
  set(SEXTANT_FORKING_TEST_ENVIRONMENT OMP_THREAD_LIMIT=1 TSAN_OPTIONS=die_after_fork=0)
endif()
