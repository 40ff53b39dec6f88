#include "uniq/base/error.h"

#include <gtest/gtest.h>

namespace uniq {
namespace {

TEST(ErrorText, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(to_string({.what = "W", .where = "", .got = "", .expected = "", .remedy = ""}), "W");
  EXPECT_EQ(to_string({.what = "W", .where = "H", .got = "G", .expected = "E", .remedy = "R"}),
            "W (H): got G, expected E; try R");
  EXPECT_EQ(to_string({.what = "W", .where = "", .got = "", .expected = "E", .remedy = ""}),
            "W: expected E");
  EXPECT_EQ(to_string({.what = "W", .where = "H", .got = "", .expected = "", .remedy = "R"}),
            "W (H); try R");
}

TEST(ErrorTypes, AZeroByteDoesNotEndTheMessage) {
  const std::string name("a\0b\0", 4);
  EXPECT_STREQ(Error(name).what(), "a\\x00b\\x00");
  EXPECT_STREQ(UsageError(ErrorText{"no text", name, "", "", ""}).what(), "no text (a\\x00b\\x00)");
}

TEST(ErrorTypes, AUsageErrorIsAnError) { EXPECT_THROW(throw UsageError("bits 9"), Error); }

}  // namespace
}  // namespace uniq
