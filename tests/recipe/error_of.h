// The message of the UsageError that a call throws.
#pragma once

#include <string>

#include "uniq/base/error.h"

namespace uniq::testing {

/// "no error" where the call returns; other exceptions pass.
template <typename Function>
std::string usage_error_of(Function function) {
  try {
    function();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace uniq::testing
