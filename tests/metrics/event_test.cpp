#include "uniq/metrics/event.h"

#include <gtest/gtest.h>

#include <string>

#include "uniq/metrics/tfrecord.h"

namespace uniq::metrics {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text.push_back(static_cast<char>(value));
  return text;
}

// The wire format spelled out: field number * 8 + wire type, then the value. 1.5 is
// 0x3FF8000000000000 as double, 0x3FC00000 as float.
TEST(Event, FileVersionBytes) {
  const std::string expected =
      bytes({1 * 8 + 1, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F}) + bytes({3 * 8 + 2, 13}) + "brain.Event:2";
  EXPECT_EQ(file_version_event(1.5), expected);
}

TEST(Event, ScalarBytes) {
  const std::string value =
      bytes({1 * 8 + 2, 10}) + "train/loss" + bytes({2 * 8 + 5, 0, 0, 0xC0, 0x3F});
  const std::string summary = bytes({1 * 8 + 2, static_cast<int>(value.size())}) + value;
  const std::string expected = bytes({1 * 8 + 1, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F}) +
                               bytes({2 * 8 + 0, 0xAC, 0x02}) +  // 300 as varint
                               bytes({5 * 8 + 2, static_cast<int>(summary.size())}) + summary;
  EXPECT_EQ(scalar_event(1.5, 300, {{"train/loss", 1.5}}), expected);
}

TEST(TfRecord, LengthPayloadAndBothChecksums) {
  const std::string record = tfrecord("123456789");
  ASSERT_EQ(record.size(), 8u + 4u + 9u + 4u);
  EXPECT_EQ(record.substr(0, 8), bytes({9, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(record.substr(12, 9), "123456789");
  // masked_crc32c("123456789") = 0xC78AB0E5, little-endian.
  EXPECT_EQ(record.substr(21), bytes({0xE5, 0xB0, 0x8A, 0xC7}));
}

}  // namespace
}  // namespace uniq::metrics
