#include "uniq/format/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/base/fault_injection.h"
#include "tests/base/temporary_folder.h"
#include "tests/format/views.h"
#include "uniq/base/error.h"
#include "uniq/base/file.h"

namespace uniq::format {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;
using ::testing::UnorderedElementsAre;
using uniq::testing::length_bytes;
using uniq::testing::raw_file;
using uniq::testing::TemporaryFolder;

TEST(Safetensors, ReadsTheGoldenFiles) {
  const std::string golden = UNIQ_GOLDEN;
  const Safetensors quantizer(golden + "/quantizer.safetensors");
  EXPECT_EQ(quantizer.at("weight.kernel.b3.x").shape, (std::vector<std::int64_t>{6, 4, 3, 3}));
  EXPECT_EQ(quantizer.at("activation.b8.x").shape, (std::vector<std::int64_t>{3, 5, 7, 7}));
  EXPECT_TRUE(quantizer.at("activation.b8.delta").shape.empty());
  EXPECT_EQ(quantizer.tensors().size(), 8u * (2 * 7 + 9));
  const Safetensors trajectory(golden + "/trajectory_preact_resnet8_b2.safetensors");
  EXPECT_EQ(trajectory.at("label.0").dtype, DType::i64);
  // As the reference library reads them.
  EXPECT_THAT(values_of<std::int64_t>(trajectory.at("label.0")), ElementsAre(9, 5, 2, 3));
  EXPECT_THAT(values_of<float>(trajectory.at("losses")),
              ElementsAre(0x1.30ce06p+1f, 0x1.27750cp+1f, 0x1.28f1e4p+1f));
  EXPECT_THAT(values_of<float>(quantizer.at("activation.b8.delta")), ElementsAre(0x1.f110e6p-7f));
}

TEST(Safetensors, HeaderMayBeInAnyOrderWithSpaceAndEscapes) {
  const std::string bytes = raw_file(
      R"({ "b\u00e4\/" : {"data_offsets": [2, 4], "shape": [2], "dtype": "U8"},
          "__metadata__": {"k": "v", "e": ""},
          "a": {"shape": [1, 2], "dtype": "I8", "data_offsets": [0, 2]} }   )",
      "abcd");
  const Safetensors file = parse(bytes);
  EXPECT_EQ(file.at("bä/").shape, (std::vector<std::int64_t>{2}));
  EXPECT_THAT(values_of<char>(file.at("bä/")), ElementsAre('c', 'd'));
  EXPECT_THAT(values_of<char>(file.at("a")), ElementsAre('a', 'b'));
  EXPECT_THAT(file.metadata(), UnorderedElementsAre(Pair("k", "v"), Pair("e", "")));
}

TEST(Safetensors, MovesWithItsContents) {
  const TemporaryFolder folder;
  const std::vector<float> values = {1, 2, 3};
  write_safetensors(folder / "file", std::vector<TensorView>{view("x", DType::f32, {3}, values)},
                    {});
  Safetensors first(folder / "file");
  Safetensors second(std::move(first));
  EXPECT_THAT(values_of<float>(second.at("x")), ElementsAre(1.0f, 2.0f, 3.0f));
  // Nothing depends on the file any more: neither on its bytes nor on its length.
  std::ofstream(folder / "file", std::ios::in | std::ios::binary) << std::string(100, 'x');
  EXPECT_THAT(values_of<float>(second.at("x")), ElementsAre(1.0f, 2.0f, 3.0f));
  std::filesystem::resize_file(folder / "file", 0);
  EXPECT_THAT(values_of<float>(second.at("x")), ElementsAre(1.0f, 2.0f, 3.0f));
}

TEST(Safetensors, NoMemoryIsTakenForASparseFile) {
  const TemporaryFolder folder;
  constexpr std::uintmax_t kTerabyte = 1'000'000'000'000;
  const auto expect_refused = [&](const std::string& begin, const std::string& message) {
    std::ofstream(folder / "file", std::ios::binary) << begin;
    std::filesystem::resize_file(folder / "file", kTerabyte);
    EXPECT_THAT([&] { Safetensors file(folder / "file"); },
                ThrowsMessage<Error>(HasSubstr(message)))
        << begin;
  };
  expect_refused("", "the safetensors header does not begin with '{'");
  expect_refused(raw_file("{}"), "bytes that belong to no tensor");
  expect_refused(raw_file(R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", "abcd"),
                 "bytes that belong to no tensor");
}

TEST(Safetensors, UnknownNameIsRefusedWithTheNearest) {
  const std::string bytes =
      raw_file(R"({"conv1.weight":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x");
  const Safetensors file = parse(bytes);
  EXPECT_THAT([&] { file.at("conv1.weigth"); },
              ThrowsMessage<Error>("no such tensor (file.safetensors): expected 'conv1.weigth'; "
                                   "try 'conv1.weight'"));
}

TEST(Safetensors, WhatCannotBeOpened) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { Safetensors file(folder / "missing"); },
              ThrowsMessage<Error>("cannot open the file (" + (folder / "missing").string() +
                                   "): got No such file or directory; try to check the path"));
  EXPECT_THAT([&] { Safetensors file(folder.path()); },
              ThrowsMessage<Error>(HasSubstr("Is a directory")));
  EXPECT_THAT([&] { Safetensors file("/dev/null"); },
              ThrowsMessage<Error>(HasSubstr("Invalid argument")));
  write_file(folder / "empty", "");
  EXPECT_THAT([&] { Safetensors file(folder / "empty"); },
              ThrowsMessage<Error>(HasSubstr("too short for safetensors")));
}

// Hostile files. `message`: what the error has to say.

struct BadFile {
  std::string file;
  std::string message;
};

/// One tensor "x" with these fields, and four bytes of data.
std::string with_fields(const std::string& fields) {
  return raw_file("{\"x\":{" + fields + "}}", "abcd");
}

std::string nested(int depth) {
  return raw_file("{\"x\":" + std::string(static_cast<std::size_t>(depth), '[') +
                  std::string(static_cast<std::size_t>(depth), ']') + "}");
}

std::vector<BadFile> bad_files() {
  const std::string good = R"("dtype":"U8","shape":[4],"data_offsets":[0,4])";
  const std::string half = R"("dtype":"U8","shape":[2],"data_offsets":)";
  std::string many_dimensions = "1";
  for (int i = 0; i < 64; ++i) many_dimensions += ",1";
  return {
      {"", "got 0 bytes, expected at least 8"},
      {"1234567", "got 7 bytes, expected at least 8"},
      {length_bytes(0), "does not begin with '{'"},
      {length_bytes(3) + "{}", "header is cut off (file.safetensors): got 2 bytes, expected 3"},
      {length_bytes(100'000'001) + "{}", "header is too long"},
      {"\x89UNIQ\r\n\x1a", "the file is a packed model"},
      {length_bytes(~std::uint64_t{0}) + "{}", "got 18446744073709551615 bytes"},
      {raw_file(" {}"), "does not begin with '{'"},
      {raw_file("\xef\xbb\xbf{}"), "does not begin with '{'"},
      {raw_file("[]"), "does not begin with '{'"},
      {raw_file("{"), "not valid JSON (file.safetensors, byte 2 of it)"},
      {raw_file("{}{}"), "not valid JSON"},
      {raw_file(std::string("{}\0", 3)), "not valid JSON"},
      {raw_file("{\"\xff\":{}}"), "not valid JSON"},
      {raw_file("{'x':{}}"), "not valid JSON"},
      {raw_file("{\"x\":{},}"), "field of a tensor is missing"},
      {raw_file("{\"x\":1}"), "got a number, expected an object"},
      {raw_file("{\"x\":null}"), "got null, expected an object"},
      {raw_file("{\"x\":true}"), "got a truth value, expected an object"},
      {nested(1), "got an array, expected an object"},
      {nested(1'000'000), "got an array, expected an object"},
      {raw_file("{\"__metadata__\":[]}"), "got an array, expected an object"},
      {raw_file("{\"__metadata__\":{\"k\":1}}"), "expected text as the metadata's value"},
      {raw_file("{\"__metadata__\":{\"k\":{}}}"), "expected text as the metadata's value"},
      {raw_file("{\"__metadata__\":{\"k\":\"a\",\"k\":\"b\"}}"),
       "twice (file.safetensors): got "
       "metadata key 'k'"},
      {raw_file("{\"__metadata__\":{},\"__metadata__\":{}}"), "twice"},
      {raw_file("{\"x\":{" + good + "},\"x\":{" + good + "}}", "abcd"), "twice"},
      {with_fields(good + ",\"shape\":[4]"), "got field 'shape'"},
      {with_fields(good + ",\"strides\":[1]"),
       "unknown field of a tensor (file.safetensors, "
       "tensor 'x'): got 'strides'"},
      {with_fields(R"("dtype":"U8","shape":[4])"), "expected data_offsets"},
      {with_fields(R"("dtype":"U8","data_offsets":[0,4])"), "expected shape"},
      {with_fields(R"("shape":[4],"data_offsets":[0,4])"), "expected dtype"},
      {with_fields(R"("dtype":1,"shape":[4],"data_offsets":[0,4])"),
       "expected the name of a type as dtype"},
      {with_fields(R"("dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4])"),
       "type of a tensor is not supported (file.safetensors, tensor 'x'): got 'F8_E4M3', expected "
       "F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL"},
      {with_fields(R"("dtype":"f32","shape":[1],"data_offsets":[0,4])"), "not supported"},
      {with_fields(R"("dtype":"U8","shape":4,"data_offsets":[0,4])"), "expected an array as shape"},
      {with_fields(R"("dtype":"U8","shape":[[4]],"data_offsets":[0,4])"),
       "got an array, expected whole numbers in shape"},
      {with_fields(R"("dtype":"U8","shape":["4"],"data_offsets":[0,4])"), "got text"},
      {with_fields(R"("dtype":"U8","shape":[4.0],"data_offsets":[0,4])"), "got a fraction"},
      {with_fields(R"("dtype":"U8","shape":[1e400],"data_offsets":[0,4])"), "not valid JSON"},
      {with_fields(R"("dtype":"U8","shape":[-4],"data_offsets":[0,4])"), "negative"},
      {with_fields(R"("dtype":"U8","shape":[-2,-2],"data_offsets":[0,4])"), "negative"},
      {with_fields(R"("dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,4])"),
       "size of a tensor is too large"},
      {with_fields(R"("dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,4])"),
       "beyond 64 bits"},
      {with_fields(R"("dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,4])"),
       "shape of a tensor is too large"},
      // 2^62 elements of 4 bytes are 2^64 bytes: 0 in 64 bits.
      {raw_file(R"({"x":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})"),
       "shape of a tensor is too large"},
      {raw_file(R"({"x":{"dtype":"U8","shape":[0,9223372036854775807,2],"data_offsets":[0,0]}})"),
       "shape of a tensor is too large"},
      {with_fields(R"("dtype":"U8","shape":[)" + many_dimensions + R"(],"data_offsets":[0,4])"),
       "too many dimensions"},
      {with_fields(R"("dtype":"U8","shape":[4],"data_offsets":[0])"), "got 1 numbers, expected 2"},
      {with_fields(R"("dtype":"U8","shape":[4],"data_offsets":[0,4,4])"), "more than 2 numbers"},
      {with_fields(R"("dtype":"U8","shape":[4],"data_offsets":[-1,4])"), "negative"},
      {with_fields(R"("dtype":"U8","shape":[4],"data_offsets":[4,0])"), "hole"},
      {with_fields(R"("dtype":"U8","shape":[5],"data_offsets":[0,5])"),
       "data of the tensors are cut off"},
      {with_fields(R"("dtype":"U8","shape":[0],"data_offsets":[0,18446744073709551615])"),
       "data of the tensors are cut off"},
      {with_fields(R"("dtype":"U8","shape":[3],"data_offsets":[0,3])"),
       "bytes that belong to no tensor"},
      {with_fields(R"("dtype":"U8","shape":[3],"data_offsets":[1,4])"), "hole in front"},
      {with_fields(R"("dtype":"U8","shape":[3],"data_offsets":[0,4])"), "got 4 bytes, expected 3"},
      {with_fields(R"("dtype":"F32","shape":[4],"data_offsets":[0,4])"),
       "got 4 bytes, expected 16"},
      {raw_file("{\"x\":{" + half + "[0,2]},\"y\":{" + half + "[1,3]}}", "abc"), "overlap"},
      {raw_file("{\"x\":{" + half + "[0,2]},\"y\":{" + half + "[0,2]}}", "ab"), "overlap"},
      {raw_file("{\"x\":{" + half + "[0,2]},\"y\":{" + half + "[3,5]}}", "abcde"), "hole"},
      {raw_file("{\"x\":{" + half + "[0,2]}}"), "data of the tensors are cut off"},
      // An offset pair turned round behind a valid one: covered bytes must not shrink.
      {raw_file("{\"x\":{" + half + "[0,2]},\"y\":{" + half + "[2,0]}}", "ab"), "outside"},
  };
}

TEST(Safetensors, HostileFilesAreErrors) {
  int index = 0;
  for (const BadFile& bad : bad_files()) {
    SCOPED_TRACE("case " + std::to_string(index++) + ": " + bad.file.substr(0, 200));
    EXPECT_THAT(
        [&] { parse(bad.file); },
        ThrowsMessage<Error>(AllOf(HasSubstr(bad.message), HasSubstr("(file.safetensors"))));
  }
}

TEST(Safetensors, NamesFromAFileCannotTalkToTheTerminal) {
  EXPECT_THAT([] { parse(raw_file("{\"\\u001b[31m\":1}")); },
              ThrowsMessage<Error>(HasSubstr("'\\x1b[31m'")));
}

TEST(Safetensors, EveryTruncationIsAnError) {
  const std::string good =
      raw_file(R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", "abcd");
  EXPECT_NO_THROW(parse(good));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_THROW(parse(good.substr(0, size)), Error) << size;
  }
  EXPECT_THROW(parse(good + "e"), Error);
}

}  // namespace
}  // namespace uniq::format
