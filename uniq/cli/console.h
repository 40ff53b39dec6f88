// Standard output, standard error and what stands behind them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace uniq::cli {

/// Results, to standard output at once. Throws Error where they cannot be written (a full disk),
/// and ReaderGone where nobody reads them any more (`uniqnn summary ... | head`).
void print(std::string_view text);
struct ReaderGone {};

/// Whether a file that is named leads to where standard output does (/dev/stdout), and is no
/// terminal or other device: what else is printed there would spoil it.
bool is_standard_output(const std::filesystem::path& file);

/// To standard error; that nobody reads it is no failure.
void print_error(std::string_view text);

/// "uniqnn: error: ..." and "uniqnn: warning: ..." on one line, escaped (base/escape.h), coloured
/// on a terminal.
void report_error(const std::string& message);
void report_warning(const std::string& message);
/// "uniqnn: error: out of memory", without taking any.
void report_out_of_memory();

/// Opens /dev/null on each of the descriptors 0 to 2 that is closed (`uniqnn ... 2>&-`): the next
/// file to be opened would take its number, and messages would be written into that file.
void open_standard_descriptors();

bool is_terminal(int descriptor);
/// Columns; 80 where the terminal does not say.
int terminal_width(int descriptor);

}  // namespace uniq::cli
