// Standard output, standard error and what stands behind them.
#pragma once

#include <string>
#include <string_view>

namespace uniq::cli {

/// Results, to standard output at once. Throws Error where they cannot be written (a full disk),
/// and ReaderGone where nobody reads them any more (`uniqnn summary ... | head`).
void print(std::string_view text);
struct ReaderGone {};

/// To standard error; that nobody reads it is no failure.
void print_error(std::string_view text);

/// "uniqnn: error: ..." and "uniqnn: warning: ..." with a newline, coloured on a terminal.
void report_error(const std::string& message);
void report_warning(const std::string& message);

bool is_terminal(int descriptor);
/// Columns; 80 where the terminal does not say.
int terminal_width(int descriptor);

}  // namespace uniq::cli
