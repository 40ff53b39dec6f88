# Settings that every target shares, and the functions that define targets without LibTorch.
include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# A folder that finds a package for its library finds it for the programs that link the library too.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

# Programs in bin/, libraries in lib/, tests in tests/ of the build folder. Installed programs find
# the libraries of this project beside them and LibTorch where it was when they were linked.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_INSTALL_RPATH $ORIGIN $ORIGIN/../${CMAKE_INSTALL_LIBDIR})
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

# ccache keeps objects that use a precompiled header only under this sloppiness; the header's own
# contents are hashed all the same.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
                                  CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

# -ffp-contract=off: the arithmetic is a contract; fused multiply-adds are written out. Nothing here
# asks for more than the architecture's baseline: files that use a newer instruction set say so.
add_compile_options(-Wall -Wextra -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlaps in "text" + std::string that cannot be (its bug 105651).
  add_compile_options(-Wno-restrict)
endif()
if(UNIQ_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "UNIQ_FUZZ needs clang (libFuzzer); configure with "
                        "-DCMAKE_CXX_COMPILER=clang++ or the preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(UNIQ_SANITIZE OR UNIQ_FUZZ)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  add_link_options(-fsanitize=address,undefined)
endif()
if(UNIQ_SANITIZE_THREADS)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()

find_package(Threads REQUIRED)

# Installed libraries, by component of the package (see UniqInstall.cmake).
define_property(GLOBAL PROPERTY UNIQ_RUNTIME_LIBRARIES)
define_property(GLOBAL PROPERTY UNIQ_TRAINING_LIBRARIES)

# uniq_install_library(<target> <Runtime|Training> <exported name>): what both kinds of library
# share: where the headers are, C++20 for those who link it, its place in the package.
function(uniq_install_library target component exported_name)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${exported_name})
  add_library(UniQ::${exported_name} ALIAS ${target})
  install(TARGETS ${target} EXPORT UniQ${component}Targets
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  string(TOUPPER ${component} group)
  set_property(GLOBAL APPEND PROPERTY UNIQ_${group}_LIBRARIES ${target})
endfunction()

# uniq_library(<folder> [EXPORT_NAME ...] SOURCES ... DEPENDS ... PRIVATE ...): static library
# uniq_<folder>, exported as UniQ::<folder> unless another name is given. DEPENDS is what its headers
# need, PRIVATE what only its sources do; third-party libraries are linked like ours.
function(uniq_library name)
  cmake_parse_arguments(ARG "" "EXPORT_NAME" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  if(NOT ARG_EXPORT_NAME)
    set(ARG_EXPORT_NAME ${name})
  endif()
  add_library(uniq_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(uniq_${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
  uniq_install_library(uniq_${name} Runtime ${ARG_EXPORT_NAME})
endfunction()

# The tests' own code takes half of the time that everything takes to compile, and its speed matters
# little. (What includes LibTorch at -O0 could not share a precompiled header that is optimized.)
if(UNIQ_SANITIZE AND NOT UNIQ_TRAINING)
  set(uniq_test_options -O0)
elseif(CMAKE_BUILD_TYPE STREQUAL Release)
  set(uniq_test_options -O1)
endif()

# uniq_test(<folder> SOURCES ... DEPENDS ...): one GoogleTest program for tests/<folder>; each of its
# cases is a ctest test. No two of its files use a name for different things, so that
# CMAKE_UNITY_BUILD may compile several as one.
function(uniq_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(uniq_${name}_test ${ARG_SOURCES})
  target_include_directories(uniq_${name}_test PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(uniq_${name}_test PRIVATE ${ARG_DEPENDS} uniq_test_support GTest::gtest
                                                  GTest::gmock GTest::gtest_main)
  target_compile_options(uniq_${name}_test PRIVATE ${uniq_test_options})
  target_compile_definitions(uniq_${name}_test
                             PRIVATE UNIQ_GOLDEN="${PROJECT_SOURCE_DIR}/tests/golden")
  set_target_properties(uniq_${name}_test PROPERTIES
                        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  set(properties)
  if(CMAKE_CROSSCOMPILING_EMULATOR)
    list(JOIN CMAKE_CROSSCOMPILING_EMULATOR " " emulator)
    set(properties PROPERTIES ENVIRONMENT "UNIQ_TEST_EMULATOR=${emulator}")
  endif()
  gtest_discover_tests(uniq_${name}_test TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60 ${properties})
endfunction()

# uniq_fuzz(<name> SOURCES ... DEPENDS ...): the fuzzer of a reader, whose first inputs lie in
# corpus/<name>/ beside it. It joins uniq_fuzz_test, which runs it over those; with UNIQ_FUZZ it is
# also the libFuzzer program <name>_fuzz in fuzz/ of the build folder, of the target fuzzers.
function(uniq_fuzz name)
  if(NOT TARGET uniq_fuzz_test)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  list(TRANSFORM ARG_SOURCES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  target_sources(uniq_fuzz_test PRIVATE ${ARG_SOURCES})
  target_link_libraries(uniq_fuzz_test PRIVATE ${ARG_DEPENDS})
  if(NOT UNIQ_FUZZ)
    return()
  endif()
  add_executable(${name}_fuzz ${PROJECT_SOURCE_DIR}/tests/fuzz/fuzzer.cpp
                              ${PROJECT_SOURCE_DIR}/tests/fuzz/libfuzzer_entry.cpp ${ARG_SOURCES})
  target_include_directories(${name}_fuzz PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name}_fuzz PRIVATE ${ARG_DEPENDS})
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name}_fuzz PROPERTIES
                        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers ${name}_fuzz)
endfunction()
