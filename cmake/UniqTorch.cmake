# LibTorch, and the functions that define targets that include it.
#
# Order of search: Torch_DIR, CMAKE_PREFIX_PATH, the usual places, at last the virtual environment
# that the scripts make in the checkout.
file(GLOB uniq_venv_torch ${PROJECT_SOURCE_DIR}/.venv/lib/python*/site-packages/torch)

# LibTorch's CMake files warn of parts that its packages bundle elsewhere, and may add to the flags
# of the whole project, the torch-free libraries included: both are kept out.
set(uniq_saved_flags "${CMAKE_CXX_FLAGS}")
set(uniq_saved_log_level "${CMAKE_MESSAGE_LOG_LEVEL}")
set(CMAKE_MESSAGE_LOG_LEVEL ERROR)
find_package(Torch 2.13 QUIET PATHS ${uniq_venv_torch})
set(CMAKE_MESSAGE_LOG_LEVEL "${uniq_saved_log_level}")
set(CMAKE_CXX_FLAGS "${uniq_saved_flags}")

if(NOT Torch_FOUND)
  message(FATAL_ERROR
          "LibTorch 2.13 not found. ./quickstart.sh and ./test.sh install it; or give the one you "
          "have by -DTorch_DIR=<...>/share/cmake/Torch or CMAKE_PREFIX_PATH; or configure with "
          "-DUNIQ_TRAINING=OFF for what needs no LibTorch")
endif()
if(Torch_VERSION VERSION_GREATER_EQUAL 2.14)
  message(WARNING "LibTorch ${Torch_VERSION} is newer than 2.13, which this version is tested with")
endif()
# Where MKL lies inside LibTorch its CMake files name /lib/intel64 and such, below an empty root: they
# would be searched when a program starts.
if(TARGET caffe2::mkl AND NOT MKL_ROOT)
  set_property(TARGET caffe2::mkl PROPERTY INTERFACE_LINK_DIRECTORIES)
endif()
message(STATUS "LibTorch ${Torch_VERSION}: ${Torch_DIR}")

# A file that includes LibTorch takes 15 s to compile without this. One target holds the precompiled
# header; GCC takes it for a target whose code generation options are the same, so everything that
# includes LibTorch is compiled with -fPIC, programs too (they would get -fPIE).
set(uniq_pch_source ${PROJECT_BINARY_DIR}/generated/torch_pch.cpp)
file(CONFIGURE OUTPUT ${uniq_pch_source} CONTENT "// The precompiled header is all there is.\n")
add_library(uniq_torch_pch OBJECT ${uniq_pch_source})
target_link_libraries(uniq_torch_pch PRIVATE torch)
target_precompile_headers(uniq_torch_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/torch_pch.h)

# GCC: lets ccache preprocess; sanitized code: LibTorch hides the type information that the check of
# virtual calls looks for.
set(uniq_torch_options $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
                       $<$<BOOL:${UNIQ_SANITIZE}>:-fno-sanitize=vptr>)
target_compile_options(uniq_torch_pch PRIVATE ${uniq_torch_options})

function(uniq_use_torch target)
  target_link_libraries(${target} PUBLIC torch)
  target_compile_options(${target} PRIVATE ${uniq_torch_options})
  target_precompile_headers(${target} REUSE_FROM uniq_torch_pch)
  # Where files are compiled together, fewer of them: one with LibTorch takes up to 2 GB.
  set_target_properties(${target} PROPERTIES UNITY_BUILD_BATCH_SIZE 4)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
endfunction()

# uniq_training_library(<folder> [SHARED] SOURCES ... DEPENDS ... PRIVATE ...): like uniq_library,
# for a library that includes LibTorch. SHARED is for operators: registering them is what the
# library is for, so whoever links it loads it, though no symbol of it is named; and what it links
# statically stays its own.
function(uniq_training_library name)
  cmake_parse_arguments(ARG "SHARED" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  if(ARG_SHARED)
    add_library(uniq_${name} SHARED ${ARG_SOURCES})
    target_link_options(uniq_${name} PRIVATE LINKER:--exclude-libs,ALL
                                     INTERFACE LINKER:--no-as-needed)
    # CMake would define uniq_<name>_EXPORTS, which the precompiled header was compiled without.
    set_target_properties(uniq_${name} PROPERTIES DEFINE_SYMBOL "")
  else()
    add_library(uniq_${name} STATIC ${ARG_SOURCES})
  endif()
  target_link_libraries(uniq_${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
  uniq_use_torch(uniq_${name})
  uniq_install_library(uniq_${name} Training ${name})
endfunction()

# uniq_training_test(<folder> SOURCES ... DEPENDS ...): like uniq_test, for tests that include
# LibTorch.
function(uniq_training_test name)
  uniq_test(${name} ${ARGN})
  uniq_use_torch(uniq_${name}_test)
endfunction()
