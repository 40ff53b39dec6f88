#include "uniq/base/error.h"

namespace uniq {

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
