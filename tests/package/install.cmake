# Installs the build BUILD into FOLDER/prefix, then moves that: nothing installed may remember where
# it was put, or where it was built.
file(REMOVE_RECURSE ${FOLDER})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --config ${CONFIG}
                        --prefix ${FOLDER}/prefix
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${FOLDER}/prefix ${FOLDER}/moved)

file(GLOB_RECURSE files ${FOLDER}/moved/*.cmake)
if(NOT files)
  message(FATAL_ERROR "no CMake package was installed")
endif()
foreach(file ${files})
  file(READ ${file} text)
  foreach(place ${BUILD} ${FOLDER}/prefix)
    string(FIND "${text}" "${place}" position)
    if(NOT position EQUAL -1)
      message(FATAL_ERROR "${file}: names ${place}")
    endif()
  endforeach()
endforeach()

# A program that was installed runs where it stands now.
if(EXISTS ${FOLDER}/moved/bin/uniqnn)
  execute_process(COMMAND ${FOLDER}/moved/bin/uniqnn --version COMMAND_ERROR_IS_FATAL ANY)
endif()
