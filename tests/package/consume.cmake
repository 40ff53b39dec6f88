# Configures, builds and runs SOURCE against the package in PREFIX: RUN is what is run of the build
# folder, with its arguments. REFUSED: find_package must fail and say why.
file(REMOVE_RECURSE ${BUILD})
set(configure ${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -G ${GENERATOR}
              -DCMAKE_PREFIX_PATH=${PREFIX} -DCMAKE_CXX_COMPILER=${COMPILER}
              -DCMAKE_BUILD_TYPE=${CONFIG})
if(TORCH)
  list(APPEND configure -DTorch_DIR=${TORCH})
endif()

if(REFUSED)
  execute_process(COMMAND ${configure} OUTPUT_VARIABLE text ERROR_VARIABLE text
                  RESULT_VARIABLE status)
  if(status EQUAL 0 OR NOT text MATCHES "built[ \n]+without[ \n]+LibTorch")
    message(FATAL_ERROR "expected a refusal that says why, got status ${status}:\n${text}")
  endif()
  return()
endif()

execute_process(COMMAND ${configure} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --config ${CONFIG}
                COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(run UNIX_COMMAND "${RUN}")
execute_process(COMMAND ${BUILD}/${run} COMMAND_ERROR_IS_FATAL ANY)
