# `cmake --install` and the package that find_package(UniQ) finds: headers, libraries, programs, and
# the targets UniQ::c (libuniq.so), UniQ::runtime (no LibTorch) and UniQ::training (with it).
include(CMakePackageConfigHelpers)

# uniq_component(<Runtime|Training>): the interface target that names all libraries of a component.
# Its name differs from those of uniq_library, so that a folder may have the component's name, but
# not export it.
function(uniq_component component)
  string(TOUPPER ${component} group)
  string(TOLOWER ${component} name)
  get_property(libraries GLOBAL PROPERTY UNIQ_${group}_LIBRARIES)
  add_library(uniq_component_${name} INTERFACE)
  target_link_libraries(uniq_component_${name} INTERFACE ${libraries} ${ARGN})
  set_target_properties(uniq_component_${name} PROPERTIES EXPORT_NAME ${name})
  add_library(UniQ::${name} ALIAS uniq_component_${name})
  install(TARGETS uniq_component_${name} EXPORT UniQ${component}Targets)
  install(EXPORT UniQ${component}Targets NAMESPACE UniQ:: DESTINATION ${uniq_package_folder})
endfunction()

set(uniq_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/UniQ)
uniq_component(Runtime)
set(uniq_header_exclusions)
if(UNIQ_TRAINING)
  uniq_component(Training uniq_component_runtime)
else()
  # Headers that include LibTorch's are of no use without it.
  set(uniq_header_exclusions REGEX "uniq/(quant|nn|train|verify)$" EXCLUDE)
endif()
install(EXPORT UniQCTargets NAMESPACE UniQ:: DESTINATION ${uniq_package_folder})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/uniq DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "cli" EXCLUDE ${uniq_header_exclusions})

foreach(program uniqnn uniqnn-train)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/UniQConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/generated/UniQConfig.cmake
                              INSTALL_DESTINATION ${uniq_package_folder})
# Before 1.0 a new minor version may break what used the last (SemVer, 4).
write_basic_package_version_file(${PROJECT_BINARY_DIR}/generated/UniQConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/generated/UniQConfig.cmake
              ${PROJECT_BINARY_DIR}/generated/UniQConfigVersion.cmake
        DESTINATION ${uniq_package_folder})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
