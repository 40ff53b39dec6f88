#include "uniq/base/error.h"

namespace uniq {
namespace {

std::string without_zero_bytes(std::string text) {
  for (std::size_t at = text.find('\0'); at != std::string::npos; at = text.find('\0', at))
    text.replace(at, 1, "\\x00");
  return text;
}

}  // namespace

Error::Error(const std::string& message) : std::runtime_error(without_zero_bytes(message)) {}

std::string to_string(const ErrorText& text) {
  std::string message = text.what;
  if (!text.where.empty()) message += " (" + text.where + ")";
  const char* separator = ": ";
  if (!text.got.empty()) {
    message += separator + ("got " + text.got);
    separator = ", ";
  }
  if (!text.expected.empty()) message += separator + ("expected " + text.expected);
  if (!text.remedy.empty()) message += "; try " + text.remedy;
  return message;
}

}  // namespace uniq
