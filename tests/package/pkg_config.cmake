# Compiles and runs SOURCE, a program in C, with what pkg-config says of the package in PREFIX.
file(GLOB_RECURSE description ${PREFIX}/uniq.pc)
cmake_path(GET description PARENT_PATH folder)
set(ENV{PKG_CONFIG_PATH} ${folder})
execute_process(COMMAND ${PKG_CONFIG} --cflags --libs uniq OUTPUT_VARIABLE flags
                COMMAND_ERROR_IS_FATAL ANY OUTPUT_STRIP_TRAILING_WHITESPACE)
separate_arguments(flags UNIX_COMMAND "${flags}")
find_program(C_COMPILER NAMES cc gcc clang REQUIRED)
execute_process(COMMAND ${C_COMPILER} -std=c99 -Wall -Wextra -Werror ${SOURCE} ${flags} -o ${PROGRAM}
                COMMAND_ERROR_IS_FATAL ANY)
cmake_path(GET folder PARENT_PATH libraries)
set(ENV{LD_LIBRARY_PATH} ${libraries})
execute_process(COMMAND ${PROGRAM} ${MODEL} ${PICTURE} COMMAND_ERROR_IS_FATAL ANY)
