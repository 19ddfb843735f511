# The first thing that an installation does: it copies nothing from a build in which something is missing, as it is after
# `make demo` alone. The files are a property of the target sextant for each component, known once all targets are.
foreach(component IN ITEMS program development python)
  # A line that begins with a blank is not broken by CMake.
  install(CODE "
  foreach(file IN ITEMS $<TARGET_GENEX_EVAL:sextant,$<TARGET_PROPERTY:sextant,SEXTANT_BUILT_${component}>>)
    if(NOT EXISTS \"\${file}\")
      message(FATAL_ERROR \" not all of sextant is built: \${file} is missing. Run 'make' or \"
                          \"'cmake --build ${PROJECT_BINARY_DIR}' first\")
    endif()
  endforeach()" COMPONENT ${component})
endforeach()
