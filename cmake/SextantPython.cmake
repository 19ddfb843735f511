# Before libtorch is looked for: `pip install .` (SKBUILD) builds with the PyTorch of the environment it installs into.
# pip hides that environment from the build by PYTHONPATH, so it is asked without.
if(SKBUILD AND NOT Torch_DIR)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env --unset=PYTHONPATH ${Python_EXECUTABLE} -c
            "import importlib.util as u, os; s = u.find_spec('torch'); print(os.path.dirname(s.origin) if s else '')"
    OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT folder)
    message(FATAL_ERROR "there is no PyTorch in the environment of ${Python_EXECUTABLE}: pip install torch first")
  endif()
  if(EXISTS ${folder}/share/cmake/Torch/TorchConfig.cmake)
    set(Torch_DIR ${folder}/share/cmake/Torch)
  endif()
  message(STATUS "PyTorch in ${folder}")
endif()

# The Python that a libtorch comes with: SEXTANT_PYTHON_EXECUTABLE, empty where there is none or it lacks PyTorch, and
# SEXTANT_PYTHON_WHY.
function(sextant_python_of root)
  if(SKBUILD)
    set(SEXTANT_PYTHON_EXECUTABLE ${Python_EXECUTABLE} PARENT_SCOPE)
    return()
  endif()
  if(root MATCHES "^(.*)/lib/(python3[.0-9]+)/site-packages/torch$")
    set(python ${CMAKE_MATCH_1}/bin/${CMAKE_MATCH_2})
  else()
    set(python /usr/bin/python3)
  endif()
  set(SEXTANT_PYTHON_EXECUTABLE "" PARENT_SCOPE)
  if(NOT EXISTS ${python})
    set(SEXTANT_PYTHON_WHY "this libtorch has no Python" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${python} -c "import importlib.util as u, sys; sys.exit(u.find_spec('torch') is None)"
                  RESULT_VARIABLE missing OUTPUT_QUIET ERROR_QUIET)
  if(missing)
    set(SEXTANT_PYTHON_WHY "${python} has no PyTorch (python3-torch)" PARENT_SCOPE)
  else()
    set(SEXTANT_PYTHON_EXECUTABLE ${python} PARENT_SCOPE)
  endif()
endfunction()
