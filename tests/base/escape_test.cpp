#include "uniq/base/escape.h"

#include <gtest/gtest.h>

#include <string>

namespace uniq {
namespace {

using namespace std::string_literals;

TEST(Escaped, TextOfAnyLanguageStays) {
  for (const std::string text :
       {"", "plain", "back\\slash", "äöüß", "日本語", "עברית", "e\u0301", "😀", "\u00a0"}) {
    EXPECT_EQ(escaped(text), text);
  }
}

TEST(Escaped, ControlCharacters) {
  EXPECT_EQ(escaped("a\x1b[31m\n\r\t\x7f"), "a\\x1b[31m\\x0a\\x0d\\x09\\x7f");
  EXPECT_EQ(escaped("\0"s), "\\x00");
  EXPECT_EQ(escaped("\u0080\u009b31m\u009f"), "\\u0080\\u009b31m\\u009f");
}

TEST(Escaped, WhatTurnsOrHidesText) {
  EXPECT_EQ(escaped("a\u202etxt.exe"), "a\\u202etxt.exe");
  EXPECT_EQ(escaped("\u200b\u200f\u2028\u2029\u202a\u2066\u2069\ufeff\u00ad\u061c"),
            "\\u200b\\u200f\\u2028\\u2029\\u202a\\u2066\\u2069\\ufeff\\u00ad\\u061c");
  EXPECT_EQ(escaped("\U000e0041\U0001d173"), "\\U000e0041\\U0001d173");
}

// Python: [c for c in range(0x110000) if unicodedata.category(chr(c)) in ("Cc","Cf","Zl","Zp")],
// as the number of them: 65 + 163 + 1 + 1 in Unicode 14; 15 added 7 format characters.
TEST(Escaped, AsManyCharactersAsUnicodeHas) {
  int count = 0;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    std::string text;
    if (c < 0x80) {
      text += static_cast<char>(c);
    } else if (c < 0x800) {
      text += static_cast<char>(0xc0 | c >> 6);
    } else if (c < 0x10000) {
      text += static_cast<char>(0xe0 | c >> 12);
      text += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    } else {
      text += static_cast<char>(0xf0 | c >> 18);
      text += static_cast<char>(0x80 | (c >> 12 & 0x3f));
      text += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80) text += static_cast<char>(0x80 | (c & 0x3f));
    if (escaped(text) != text) ++count;
  }
  EXPECT_EQ(count, 65 + 170 + 2);
}

TEST(Escaped, BytesThatAreNoUtf8) {
  EXPECT_EQ(escaped("\x80"), "\\x80");
  EXPECT_EQ(escaped("a\xff\xfe"), "a\\xff\\xfe");
  EXPECT_EQ(escaped("\xc3"), "\\xc3");
  EXPECT_EQ(escaped("\xc3("), "\\xc3(");
  EXPECT_EQ(escaped("\xe2\x82"), "\\xe2\\x82");
  EXPECT_EQ(escaped("\xc0\xaf"), "\\xc0\\xaf") << "an overlong form";
  EXPECT_EQ(escaped("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
  EXPECT_EQ(escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond U+10FFFF";
}

TEST(Escaped, TwiceIsOnce) {
  const std::string once = escaped("\x1b\u202e\xff ä");
  EXPECT_EQ(escaped(once), once);
}

TEST(EscapedJson, WritesTheSameStringsInJsonsWay) {
  EXPECT_EQ(escaped_json("{\"a\u202eb\": [\"ä \U000e0041 \x7f \\u001b \\n\", 1]}\n"),
            "{\"a\\u202eb\": [\"ä \\udb40\\udc41 \\u007f \\u001b \\n\", 1]}\n");
  EXPECT_EQ(escaped_json("{\n  \"a\": 1\n}\n"), "{\n  \"a\": 1\n}\n");
}

}  // namespace
}  // namespace uniq
