// The message of an error, to be compared as a whole or in part.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace uniq::graph {

/// What `call` throws as `Expected`, exactly (not a class derived from it); fails otherwise.
template <class Expected, class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Expected& error) {
    EXPECT_EQ(typeid(error), typeid(Expected)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

}  // namespace uniq::graph
