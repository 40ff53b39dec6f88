# Settings that every target shares, and the functions that define targets.
include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# -ffp-contract=off: the arithmetic is a contract; fused multiply-adds are written out.
add_compile_options(-Wall -Wextra -ffp-contract=off)
if(UNIQ_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

find_package(Threads REQUIRED)

# uniq_library(<folder> SOURCES ... DEPENDS ...): static library uniq_<folder>, exported as
# UniQ::<folder>. Third-party libraries among DEPENDS are linked like ours.
function(uniq_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  add_library(uniq_${name} STATIC ${ARG_SOURCES})
  target_include_directories(uniq_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                 $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(uniq_${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
  set_target_properties(uniq_${name} PROPERTIES EXPORT_NAME ${name})
  add_library(UniQ::${name} ALIAS uniq_${name})
endfunction()

# uniq_test(<folder> SOURCES ... DEPENDS ...): one GoogleTest program for tests/<folder>; each of
# its cases is a ctest test. LABELS mark what may be left out (full).
function(uniq_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(uniq_${name}_test ${ARG_SOURCES})
  target_include_directories(uniq_${name}_test PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(uniq_${name}_test PRIVATE ${ARG_DEPENDS} GTest::gtest GTest::gmock
                                                  GTest::gtest_main)
  target_compile_definitions(uniq_${name}_test
                             PRIVATE UNIQ_GOLDEN="${PROJECT_SOURCE_DIR}/tests/golden")
  gtest_discover_tests(uniq_${name}_test TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60)
endfunction()
