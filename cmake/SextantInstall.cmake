# Installs the library so that another project can find_package(sextant) and link sextant::sextant.
include(CMakePackageConfigHelpers)

get_property(modules GLOBAL PROPERTY SEXTANT_MODULES)
list(TRANSFORM modules PREPEND sextant_ OUTPUT_VARIABLE module_targets)

add_library(sextant INTERFACE)
add_library(sextant::sextant ALIAS sextant)
target_link_libraries(sextant INTERFACE ${module_targets})

# What has to be there before anything is copied (SextantBuilt).
foreach(target IN LISTS module_targets)
  set_property(TARGET sextant APPEND PROPERTY SEXTANT_BUILT_development $<TARGET_FILE:${target}>)
endforeach()
if(TARGET sextant_cli)
  set_property(TARGET sextant PROPERTY SEXTANT_BUILT_program $<TARGET_FILE:sextant_cli> ${PROJECT_BINARY_DIR}/share/.written)
endif()
if(SEXTANT_PYTHON_PACKAGED)
  set_property(TARGET sextant PROPERTY SEXTANT_BUILT_python $<TARGET_FILE:sextant_python>
               ${PROJECT_BINARY_DIR}/python/sextant/_core/__init__.pyi)
endif()

install(TARGETS sextant sextant_torch ${module_targets} EXPORT sextant
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
if(TARGET sextant_cli)
  install(TARGETS sextant_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
  # Man pages and completions.
  install(DIRECTORY ${PROJECT_BINARY_DIR}/share/ DESTINATION ${CMAKE_INSTALL_DATADIR} COMPONENT program
          PATTERN ".written" EXCLUDE)
endif()
# CLIP's vocabulary, which programs look for there, sextant's and others'.
set(vocabulary_component development)
if(TARGET sextant_cli)
  set(vocabulary_component program)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/models/clip DESTINATION ${CMAKE_INSTALL_DATADIR}/sextant/models
        COMPONENT ${vocabulary_component})
install(EXPORT sextant NAMESPACE sextant:: FILE sextantTargets.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sextant
        COMPONENT development)
set(SEXTANT_USES_CAIRO OFF)
if(TARGET PkgConfig::CAIRO)
  set(SEXTANT_USES_CAIRO ON)
endif()
set(SEXTANT_USES_UTF8PROC OFF)
if(TARGET PkgConfig::UTF8PROC)
  set(SEXTANT_USES_UTF8PROC ON)
endif()
set(SEXTANT_USES_SQLITE OFF)
if(TARGET sextant_ledger)
  set(SEXTANT_USES_SQLITE ON)
endif()
set(SEXTANT_USES_WEBP OFF)
if(TARGET PkgConfig::WEBP)
  set(SEXTANT_USES_WEBP ON)
endif()
configure_package_config_file(cmake/sextantConfig.cmake.in sextantConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sextant)
write_basic_package_version_file(sextantConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sextantConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/sextantConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/SextantTorch.cmake ${CMAKE_CURRENT_LIST_DIR}/SextantUtf8proc.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sextant COMPONENT development)
