# `cpack` in the build folder makes Debian packages: sextant, the program; libsextant-dev, the library; python3-sextant.
# They depend on what this machine's packages are called, so they are for the Debian that they were built on.
if(NOT sextant_torch_config MATCHES "^/usr/(lib|share)/" OR NOT TARGET sextant_cli)
  return()  # packages depend on Debian's libtorch
endif()
find_program(SEXTANT_SHLIBDEPS dpkg-shlibdeps)
if(NOT SEXTANT_SHLIBDEPS)
  message(STATUS "no Debian packages by cpack: dpkg-shlibdeps is missing (dpkg-dev)")
  return()
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sextant)
set(CPACK_PACKAGE_VENDOR sextant)
set(CPACK_PACKAGE_CONTACT "the developers of sextant")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL program development)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME sextant)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "The program. Draws conditional samples from diffusion models (ADM, EDM, DiT)
with classifiers (torchvision, CLIP), and evaluates, calibrates and trains them.")
# Letters of charts; products at speed.
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS fonts-dejavu-core)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS libopenblas0-pthread)

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libsextant-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "Headers, static libraries and the CMake package: find_package(sextant).")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libtorch-dev, zlib1g-dev, nlohmann-json3-dev, libpng-dev, libjpeg-dev, \
libsqlite3-dev, libxxhash-dev, pkg-config")
foreach(part IN ITEMS CAIRO:libcairo2-dev UTF8PROC:libutf8proc-dev WEBP:libwebp-dev)
  string(REPLACE ":" ";" part ${part})
  list(GET part 0 name)
  list(GET part 1 package)
  if(SEXTANT_USES_${name})
    string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", ${package}")
  endif()
endforeach()

if(SEXTANT_PYTHON_PACKAGED)
  list(APPEND CPACK_COMPONENTS_ALL python)
  set(CPACK_DEBIAN_PYTHON_PACKAGE_NAME python3-sextant)
  set(CPACK_DEBIAN_PYTHON_PACKAGE_SECTION python)
  set(CPACK_COMPONENT_PYTHON_DESCRIPTION "The Python module. Scores, guides, samplers, metrics and calibration on
PyTorch's tensors: import sextant.")
  # It is refused by another minor version of either.
  math(EXPR next "${SEXTANT_PYTHON_MINOR} + 1")
  set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS "python3 (>= 3.${SEXTANT_PYTHON_MINOR}), python3 (<< 3.${next}~), \
python3-numpy, python3-torch (>= ${SEXTANT_TORCH_VERSION}), python3-torch (<< ${SEXTANT_TORCH_VERSION}.999)")
endif()

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} capitals)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION share/doc/${CPACK_DEBIAN_${capitals}_PACKAGE_NAME}
          RENAME copyright COMPONENT ${component})
endforeach()
include(CPack)
