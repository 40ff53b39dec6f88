// The command line of both programs: every command with its options and help, declared once.
// Adding a command is a struct in options.h, a function in declare.cpp, and a file that runs it.
#pragma once

#include <CLI/CLI.hpp>

#include "uniq/cli/options/options.h"

namespace uniq::cli {

/// Declares all commands; parsing `app` then fills `options`, which has to outlive it.
void declare(CLI::App& app, Options& options);

/// Whether it takes no value.
bool is_flag(const CLI::Option& option);

// What an option's value is, as its type name says it: the completions go by these.
inline constexpr const char* kFileType = "FILE";
inline constexpr const char* kFolderType = "DIR";
inline constexpr const char* kSettingType = "KEY=VALUE";
/// Values to choose from are separated by it: "test|train". Choices in capitals are placeholders.
inline constexpr char kChoiceSeparator = '|';

}  // namespace uniq::cli
