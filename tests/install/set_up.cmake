# The scripts of the set-up on systems that are no Debian with root: they say in one line what to do, or do as they are
# told. SOURCE is the tree, WORK a folder for this test.
file(REMOVE_RECURSE ${WORK})
set(bin ${WORK}/bin)
file(MAKE_DIRECTORY ${bin})
foreach(tool IN ITEMS sed grep dirname)
  find_program(found_${tool} ${tool} REQUIRED)
  file(CREATE_LINK ${found_${tool}} ${bin}/${tool} SYMBOLIC)
endforeach()
find_program(bash bash REQUIRED)

function(program name lines)
  file(WRITE ${bin}/${name} "#!${bash}\n${lines}\n")
  file(CHMOD ${bin}/${name} PERMISSIONS OWNER_READ OWNER_EXECUTE)
endfunction()

# What a script with these words and variables ends in; what it says, on both streams, has to match and be one line
# where `lines` is 1.
function(expect script words variables status said lines)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=VIRTUAL_ENV --unset=CONDA_PREFIX --unset=DEPENDENCIES
                          --unset=TORCH PATH=${bin} ${variables} ${bash} ${SOURCE}/scripts/${script} ${words}
                  WORKING_DIRECTORY ${WORK} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX MATCHALL "\n" ends "${output}")
  list(LENGTH ends count)
  if(NOT code EQUAL status OR NOT output MATCHES "${said}" OR (lines EQUAL 1 AND NOT count EQUAL 1))
    message(FATAL_ERROR "${script} ${words} ${variables}: ${code}, said '${output}'")
  endif()
endfunction()

program(id "echo 1000")
expect(install-dependencies.sh "" "" 1 "there is no apt-get here.* libjpeg-dev .* make DEPENDENCIES=off" 1)
program(apt-get "echo apt-get was called; exit 3")
expect(install-dependencies.sh "" "" 1 "there is no sudo .* libpng-dev .*Ask your administrator.* DEPENDENCIES=off" 1)
expect(install-dependencies.sh "furo" "" 1 "them: furo\\. " 1)
expect(install-dependencies.sh "" "DEPENDENCIES=off" 0 "^$" 0)
expect(install-dependencies.sh "" "DEPENDENCIES=of" 2 "DEPENDENCIES is auto or off, not 'of'" 1)
expect(install-dependencies.sh "--help" "" 0 "^install-dependencies.sh \\[PACKAGE...\\]: installs" 0)
expect(install-dependencies.sh "--verbose" "" 2 "there is no option '--verbose'" 1)
program(id "echo 0")
program(dpkg-query "echo install ok installed")
expect(install-dependencies.sh "" "" 0 "^$" 0)
program(dpkg-query "exit 1")
expect(install-dependencies.sh "furo" "" 3 "^Installing furo\napt-get was called\n$" 0)

# Every target of the Makefile has its line in `make help`.
find_program(make make)
if(make)
  execute_process(COMMAND ${make} --no-print-directory -C ${SOURCE} help
                  RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  file(STRINGS ${SOURCE}/Makefile targets REGEX "^[a-z-]+:")
  list(TRANSFORM targets REPLACE ":.*" "")
  foreach(name IN LISTS targets ITEMS BUILD=build JOBS=N TORCH=auto CUDA=auto DEPENDENCIES=auto SECONDS=20)
    if(NOT code EQUAL 0 OR NOT output MATCHES "\n  ${name} +[^ \n]")
      message(FATAL_ERROR "make help says nothing of ${name}: ${code}\n${output}")
    endif()
  endforeach()
endif()

# What gpu.sh says of itself: every stage and default.
find_program(python3 python3)
if(python3)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env COLUMNS=80 PYTHONDONTWRITEBYTECODE=1
                          ${python3} ${SOURCE}/scripts/gpu.py --help
                  RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  foreach(part IN ITEMS "build +the library" "golden +tests" "kernels +tests" "speed +time" "mnist +draws"
          "processes +two" "cifar +trains" "default[ \n]+cuda" "default[ \n]+sextant-report" "default[ \n]+25" "CPUs,[ \n]+here[ \n]+[0-9]+")
    if(NOT code EQUAL 0 OR NOT output MATCHES "${part}")
      message(FATAL_ERROR "gpu.py --help has no '${part}': ${code}\n${output}")
    endif()
  endforeach()
endif()

expect(bundle.sh "--help" "" 0 "^bundle.sh \\[OUT.tar.xz\\]" 0)
expect(bundle.sh "--out" "" 2 "there is no option '--out'" 1)
foreach(folder IN ITEMS ${WORK} ${SOURCE})
  if(EXISTS ${folder}/--help)
    message(FATAL_ERROR "there is an archive called --help in ${folder}")
  endif()
endforeach()

# conda-forge's PyTorch has its files for C++ in the environment's own share/.
set(conda ${WORK}/conda)
file(WRITE ${conda}/bin/python "#!${bash}\necho ${conda}/lib/torch\n")
file(CHMOD ${conda}/bin/python PERMISSIONS OWNER_READ OWNER_EXECUTE)
file(WRITE ${conda}/lib/torch/version.py "__version__ = '2.9.1'\n")
file(WRITE ${conda}/share/cmake/Torch/TorchConfig.cmake "")
program(cat "exit 1")
expect(torch.sh "auto" "CONDA_PREFIX=${conda}" 0 "libtorch 2.9.1 in .*conda/share/cmake/Torch\n$" 0)
expect(torch.sh "${conda}/lib/torch" "CONDA_PREFIX=${conda}" 2 "there is no share/cmake/Torch/TorchConfig.cmake" 1)
