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
#include "tests/format/views.h"
#include "uniq/base/error.h"
#include "uniq/base/file.h"

namespace uniq::format {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using uniq::testing::bytes_of;
using uniq::testing::FaultInjection;
using uniq::testing::raw_file;
using uniq::testing::TemporaryFolder;

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
  const std::vector<std::byte> bytes = to_bytes(tensors, {{"key", "a \"quoted\"\nvalue"}});
  EXPECT_THAT(bytes, ::testing::ElementsAreArray(bytes_of(raw_file(padded, data))));
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

}  // namespace
}  // namespace uniq::format
