#include "tests/support/random_test.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "uniq/base/error.h"
#include "uniq/base/text.h"

namespace uniq::testing {
namespace {

constexpr char kVariable[] = "UNIQ_TEST_SEED";

/// What else of the environment changes what a test does.
constexpr std::array kSettings = {"QEMU_CPU", "UNIQ_READABLE_GUARDS", "UNIQ_FULL", "UNIQ_SMALL",
                                  "UNIQ_ISA"};
/// Set where the tests run under an emulator: the command that it takes.
constexpr char kEmulator[] = "UNIQ_TEST_EMULATOR";

std::string program() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return "<program>";
  const char* const emulator = std::getenv(kEmulator);
  const std::string before = emulator == nullptr ? "" : std::string(emulator) + " ";
  return before + shell_quoted(path.string());
}

}  // namespace

std::uint32_t test_seed() {
  const char* const given = std::getenv(kVariable);
  if (given == nullptr || *given == '\0') return std::random_device{}();
  const std::string_view text = given;
  std::uint32_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc{} || end != text.data() + text.size())
    throw UsageError({.what = "unusable seed",
                      .where = kVariable,
                      .got = "'" + std::string(text) + "'",
                      .expected = "an integer from 0 to 4294967295"});
  return seed;
}

std::string repeat_line(std::uint32_t seed) {
  std::string line;
  for (const char* const name : kSettings)
    if (const char* const value = std::getenv(name); value != nullptr && *value != '\0')
      line += std::string(name) + "=" + value + " ";
  line += std::string(kVariable) + "=" + std::to_string(seed) + " " + program();
  const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (test != nullptr)
    line += std::string(" --gtest_filter=") + test->test_suite_name() + "." + test->name();
  return line;
}

std::string announce_seed(std::uint32_t seed) {
  std::printf("[     SEED ] %s=%u\n", kVariable, seed);
  std::fflush(stdout);
  return "to repeat: " + repeat_line(seed);
}

}  // namespace uniq::testing
