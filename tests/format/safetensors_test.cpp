#include "uniq/format/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/base/fault_injection.h"
#include "tests/base/temporary_folder.h"
#include "tests/format/raw_file.h"
#include "uniq/base/error.h"
#include "uniq/base/file.h"

namespace uniq::format {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;
using ::testing::UnorderedElementsAre;
using uniq::testing::bytes_of;
using uniq::testing::FaultInjection;
using uniq::testing::length_bytes;
using uniq::testing::raw_file;
using uniq::testing::TemporaryFolder;

template <class T>
TensorView view(const std::string& name, DType dtype, std::vector<std::int64_t> shape,
                const std::vector<T>& values) {
  return TensorView{.name = name,
                    .dtype = dtype,
                    .shape = std::move(shape),
                    .bytes = std::as_bytes(std::span(values))};
}

template <class T>
std::vector<T> values_of(const TensorView& tensor) {
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

/// The bytes must outlive what is returned.
Safetensors parse(const std::string& file) { return {bytes_of(file), "file.safetensors"}; }

// Writing.

TEST(WriteSafetensors, BytesAreAsSpecified) {
  const TemporaryFolder folder;
  const std::vector<float> numbers = {1.0f, -2.0f};
  const std::vector<std::uint8_t> codes = {7};
  const std::vector<std::int64_t> count = {300};
  const std::vector<TensorView> tensors = {view("b", DType::u8, {1}, codes),
                                           view("z", DType::f32, {2, 1}, numbers),
                                           view("n", DType::i64, {}, count)};
  write_safetensors(folder / "file", tensors, {{"key", "a \"quoted\"\nvalue"}});
  const std::string header = R"({"__metadata__":{"key":"a \"quoted\"\nvalue"},)"
                             R"("n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
                             R"("z":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]},)"
                             R"("b":{"dtype":"U8","shape":[1],"data_offsets":[16,17]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  const std::string data(
      "\x2c\x01\0\0\0\0\0\0"
      "\0\0\x80\x3f\0\0\0\xc0"
      "\x07",
      17);
  EXPECT_EQ(read_file(folder / "file"), raw_file(padded, data));
}

TEST(WriteSafetensors, OrderOfTheTensorsDoesNotMatter) {
  const TemporaryFolder folder;
  const std::vector<float> a = {1};
  const std::vector<float> b = {2, 3};
  const std::vector<std::int64_t> c = {4};
  std::vector<TensorView> tensors = {view("a", DType::f32, {1}, a), view("b", DType::f32, {2}, b),
                                     view("c", DType::i64, {1}, c)};
  write_safetensors(folder / "one", tensors, {});
  std::swap(tensors[0], tensors[2]);
  write_safetensors(folder / "two", tensors, {});
  EXPECT_EQ(read_file(folder / "one"), read_file(folder / "two"));
}

TEST(WriteSafetensors, EveryTypeIsReadBackAligned) {
  const TemporaryFolder folder;
  const std::vector<std::uint8_t> raw = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                         13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};
  std::vector<TensorView> tensors;
  for (const DType dtype : {DType::boolean, DType::u8, DType::i8, DType::i16, DType::i32,
                            DType::i64, DType::bf16, DType::f16, DType::f32, DType::f64}) {
    const std::size_t size = dtype_size(dtype);
    tensors.push_back(TensorView{.name = std::string(dtype_name(dtype)),
                                 .dtype = dtype,
                                 .shape = {1, 3},
                                 .bytes = std::as_bytes(std::span(raw)).first(3 * size)});
  }
  write_safetensors(folder / "file", tensors, {});
  const Safetensors file(folder / "file");
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const TensorView& expected : tensors) {
    const TensorView& tensor = file.at(expected.name);
    EXPECT_EQ(tensor.name, expected.name);
    EXPECT_EQ(tensor.dtype, expected.dtype);
    EXPECT_EQ(tensor.shape, expected.shape);
    EXPECT_EQ(values_of<std::uint8_t>(tensor), values_of<std::uint8_t>(expected));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % dtype_size(tensor.dtype), 0)
        << expected.name;
  }
}

TEST(WriteSafetensors, NothingAtAll) {
  const TemporaryFolder folder;
  write_safetensors(folder / "file", {}, {});
  EXPECT_EQ(read_file(folder / "file"), raw_file("{}      "));
  const Safetensors file(folder / "file");
  EXPECT_TRUE(file.tensors().empty());
  EXPECT_TRUE(file.metadata().empty());
}

TEST(WriteSafetensors, EmptyTensors) {
  const TemporaryFolder folder;
  const std::vector<float> none;
  const std::vector<float> one = {1};
  write_safetensors(folder / "file",
                    std::vector<TensorView>{view("none", DType::f32, {0, 3}, none),
                                            view("one", DType::f32, {}, one),
                                            view("zero", DType::f32, {0}, none)},
                    {});
  const Safetensors file(folder / "file");
  EXPECT_EQ(file.at("none").shape, (std::vector<std::int64_t>{0, 3}));
  EXPECT_TRUE(file.at("none").bytes.empty());
  EXPECT_TRUE(file.at("zero").bytes.empty());
  EXPECT_THAT(values_of<float>(file.at("one")), ElementsAre(1.0f));
}

TEST(WriteSafetensors, RefusesWhatWouldNotBeReadBack) {
  const TemporaryFolder folder;
  const std::vector<float> two = {1, 2};
  const auto write = [&](const std::vector<TensorView>& tensors,
                         const std::map<std::string, std::string>& metadata = {}) {
    write_safetensors(folder / "file", tensors, metadata);
  };
  const TensorView good = view("x", DType::f32, {2}, two);
  EXPECT_THAT([&] { write({view("x", DType::f32, {3}, two)}); },
              ThrowsMessage<Error>(HasSubstr("tensor 'x'): got 8 bytes, expected 12")));
  EXPECT_THAT(
      [&] {
        write({view("x", DType::f32, {-1, -2}, two)});
      },
      ThrowsMessage<Error>(HasSubstr("negative")));
  EXPECT_THAT(
      [&] {
        write({good, good});
      },
      ThrowsMessage<Error>(HasSubstr("two tensors of one name")));
  EXPECT_THAT([&] { write({view("__metadata__", DType::f32, {2}, two)}); },
              ThrowsMessage<Error>(HasSubstr("reserved name")));
  EXPECT_THAT(
      [&] {
        write({good}, {{"key", "\xff"}});
      },
      ThrowsMessage<Error>(HasSubstr("not UTF-8")));
  EXPECT_THAT([&] { write({view("\xc3(", DType::f32, {2}, two)}); },
              ThrowsMessage<Error>(HasSubstr("not UTF-8")));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(WriteSafetensors, EveryFailingCallLeavesAWholeFile) {
  const std::vector<float> numbers(1000, 0.5f);
  const std::vector<TensorView> tensors = {view("a", DType::f32, {1000}, numbers),
                                           view("b", DType::f32, {1000}, numbers)};
  const std::string old = raw_file("{}");
  constexpr int kBeforeRename = 7;  // length, header, a, b; fsync; close; rename
  for (int call = 0; call < kBeforeRename; ++call) {
    const TemporaryFolder folder;
    write_file(folder / "file", old);
    {
      FaultInjection::Plan plan;
      plan.failing_call = call;
      plan.error = ENOSPC;
      const FaultInjection faults(plan);
      EXPECT_THAT([&] { write_safetensors(folder / "file", tensors, {}); },
                  ThrowsMessage<Error>(AllOf(HasSubstr((folder / "file").string()),
                                             HasSubstr("got No space left on device; try to free "
                                                       "space on the disk"))))
          << call;
    }
    EXPECT_EQ(read_file(folder / "file"), old);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  }
}

TEST(WriteSafetensorsDeathTest, FileSizeLimit) {
  const TemporaryFolder folder;
  const std::string old = raw_file("{}");
  write_file(folder / "file", old);
  const std::vector<float> numbers(100000, 0.5f);
  const std::vector<TensorView> tensors = {view("a", DType::f32, {100000}, numbers)};
  EXPECT_EXIT(
      {
        ignore_file_size_signal();
        uniq::testing::limit_file_size(65536);
        try {
          write_safetensors(folder / "file", tensors, {});
        } catch (const Error& error) {
          std::fputs(error.what(), stderr);
          ::_exit(3);
        }
      },
      ::testing::ExitedWithCode(3), "File too large");
  EXPECT_EQ(read_file(folder / "file"), old);
}

// Reading.

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

TEST(Safetensors, MovesWithItsMapping) {
  const TemporaryFolder folder;
  const std::vector<float> values = {1, 2, 3};
  write_safetensors(folder / "file", std::vector<TensorView>{view("x", DType::f32, {3}, values)},
                    {});
  Safetensors first(folder / "file");
  Safetensors second(std::move(first));
  write_file(folder / "file", "replaced");  // the mapping keeps what it mapped
  EXPECT_THAT(values_of<float>(second.at("x")), ElementsAre(1.0f, 2.0f, 3.0f));
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
       "bytes that belong to no tensor"},
      {with_fields(R"("dtype":"U8","shape":[0],"data_offsets":[0,18446744073709551615])"),
       "bytes that belong to no tensor"},
      {with_fields(R"("dtype":"U8","shape":[3],"data_offsets":[0,3])"),
       "bytes that belong to no tensor"},
      {with_fields(R"("dtype":"U8","shape":[3],"data_offsets":[1,4])"), "hole in front"},
      {with_fields(R"("dtype":"U8","shape":[3],"data_offsets":[0,4])"), "got 4 bytes, expected 3"},
      {with_fields(R"("dtype":"F32","shape":[4],"data_offsets":[0,4])"),
       "got 4 bytes, expected 16"},
      {raw_file("{\"x\":{" + half + "[0,2]},\"y\":{" + half + "[1,3]}}", "abc"), "overlap"},
      {raw_file("{\"x\":{" + half + "[0,2]},\"y\":{" + half + "[0,2]}}", "ab"), "overlap"},
      {raw_file("{\"x\":{" + half + "[0,2]},\"y\":{" + half + "[3,5]}}", "abcde"), "hole"},
      {raw_file("{\"x\":{" + half + "[0,2]}}"), "bytes that belong to no tensor"},
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
