#include "uniq/format/packed_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/base/fault_injection.h"
#include "tests/base/temporary_folder.h"
#include "tests/format/describe_model.h"
#include "tests/format/packed_bytes.h"
#include "tests/format/small_model.h"
#include "uniq/base/error.h"
#include "uniq/base/file.h"

namespace uniq::format {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;
using uniq::testing::describe;
using uniq::testing::FaultInjection;
using uniq::testing::load;
using uniq::testing::ModelMaker;
using uniq::testing::small_model;
using uniq::testing::store;
using uniq::testing::TemporaryFolder;

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(PackedFile, RoundTripOfEveryWidthAndGrid) {
  for (int bits = kMinBits; bits <= kMaxBits; ++bits) {
    for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread}) {
      if (grid == Grid::mid_tread && bits == 1) continue;
      const PackedModel model = small_model({.weight_bits = bits,
                                             .activation_bits = kMaxBits + 1 - bits,
                                             .weight_grid = grid,
                                             .seed = static_cast<unsigned>(bits)});
      const std::vector<std::byte> bytes = to_bytes(model);
      const PackedModel back = read_packed(bytes, "m.uniq");
      EXPECT_EQ(describe(back), describe(model));
      EXPECT_EQ(to_bytes(back), bytes);
    }
  }
}

TEST(PackedFile, TheSameModelGivesTheSameBytes) {
  EXPECT_EQ(to_bytes(small_model()), to_bytes(small_model()));
  EXPECT_NE(to_bytes(small_model()), to_bytes(small_model({.seed = 2})));
}

TEST(PackedFile, WhatMeansNothingIsNotWritten) {
  // An fp32 value has no grid and no step, whatever stands there.
  PackedModel model = small_model();
  model.nodes[1].outputs[0].encoding = {.bits = 0, .grid = Grid::mid_tread, .step = 3.0f};
  model.nodes[7].weights.grid = Grid::mid_tread;
  EXPECT_EQ(to_bytes(model), to_bytes(small_model()));
}

/// A model without blobs: a picture of one pixel, as it is.
PackedModel pixel() {
  ModelMaker m(1);
  return m.finish(m.input({2, 1, 1}, {{}}));
}

TEST(PackedFile, TheHeaderByteByByte) {
  const std::vector<std::byte> file = to_bytes(small_model());
  PackedSizes sizes;
  to_bytes(small_model(), &sizes);
  std::string expected("\x89UNIQ\r\n\x1a", 8);
  const auto number = [&expected](std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) expected += static_cast<char>(value >> (8 * i) & 0xff);
  };
  const std::uint64_t blobs = (64 + sizes.metadata + 63) / 64 * 64;
  number(1, 4);
  number(64, 4);
  number(file.size(), 8);
  number(64, 8);
  number(sizes.metadata, 8);
  number(blobs, 8);
  number(file.size() - blobs, 8);
  // CRC-32C, a bit at a time.
  std::uint32_t checksum = 0xFFFFFFFFu;
  for (std::size_t i = 0; i < file.size(); ++i) {
    const bool own = i >= 56 && i < 60;
    checksum ^= own ? 0u : std::to_integer<std::uint32_t>(file[i]);
    for (int bit = 0; bit < 8; ++bit) {
      checksum = (checksum >> 1) ^ ((checksum & 1u) != 0 ? 0x82F63B78u : 0u);
    }
  }
  number(~checksum, 4);
  number(0, 4);
  EXPECT_EQ(text_of(file).substr(0, 64), expected);
}

TEST(PackedFile, ModelWithoutBlobs) {
  PackedSizes sizes;
  const std::vector<std::byte> file = to_bytes(pixel(), &sizes);
  EXPECT_EQ(file.size() % 64, 0u);
  EXPECT_EQ(load<std::uint64_t>(file, 48), 0u);
  EXPECT_EQ(sizes.total, file.size());
  EXPECT_EQ(sizes.header + sizes.metadata + sizes.padding, file.size());
  EXPECT_EQ(describe(read_packed(file, "m.uniq")), describe(pixel()));
}

TEST(PackedFile, SizesAccountForEveryByte) {
  const PackedModel model = small_model({.weight_bits = 3});
  PackedSizes sizes;
  const std::vector<std::byte> file = to_bytes(model, &sizes);
  std::size_t sum = sizes.header + sizes.metadata + sizes.padding;
  ASSERT_EQ(sizes.nodes.size(), model.nodes.size());
  for (std::size_t i = 0; i < sizes.nodes.size(); ++i) {
    EXPECT_EQ(sizes.nodes[i].name, model.nodes[i].name);
    EXPECT_LT(sizes.nodes[i].padding, 64u);
    sum += sizes.nodes[i].codes + sizes.nodes[i].parameters;
  }
  EXPECT_EQ(sum, file.size());
  EXPECT_EQ(sizes.total, file.size());
  EXPECT_EQ(sizes.header, 64u);
  // layer1.0.conv1: 576 weights of 3 bits; scale, bias, and an affine map of 8 channels.
  EXPECT_EQ(sizes.nodes[2].codes, 216u);
  EXPECT_EQ(sizes.nodes[2].parameters, 4 * 8 * 4u);
  // picture.conv: fp32.
  EXPECT_EQ(sizes.nodes[7].codes, 4 * 216u);
  // fc: 25 weights of 3 bits.
  EXPECT_EQ(sizes.nodes[13].codes, 10u);
}

TEST(PackedFile, MetadataAndPaddingStayWithinTheirBudget) {
  PackedSizes sizes;
  const PackedModel model = uniq::testing::residual_chain(30);
  to_bytes(model, &sizes);
  EXPECT_LE(sizes.metadata + sizes.padding, 256 * model.nodes.size() + 4096);
  // What one more block costs: its own share is within 256 bytes too.
  PackedSizes more;
  to_bytes(uniq::testing::residual_chain(60), &more);
  EXPECT_LE(more.metadata + more.padding, sizes.metadata + sizes.padding + 30 * 256u);
}

void expect_aligned(const PackedModel& model) {
  for (const PackedNode& node : model.nodes) {
    if (node.op != PackedOp::conv) continue;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(node.weights.bytes.data()) % 64, 0u) << node.name;
  }
}

TEST(PackedFile, WeightsBeginOnCacheLines) {
  const TemporaryFolder folder;
  write_packed(folder / "m.uniq", small_model());
  expect_aligned(read_packed(folder / "m.uniq"));
  std::vector<std::byte> shifted(1);
  const std::vector<std::byte> file = to_bytes(small_model());
  shifted.insert(shifted.end(), file.begin(), file.end());
  expect_aligned(read_packed(std::span(shifted).subspan(1), "m.uniq"));
}

TEST(PackedFile, AModelDoesNotDependOnItsFile) {
  const TemporaryFolder folder;
  PackedSizes sizes;
  const std::vector<std::byte> bytes = to_bytes(small_model(), &sizes);
  EXPECT_EQ(write_packed(folder / "m.uniq", small_model()).total, sizes.total);
  EXPECT_EQ(read_file(folder / "m.uniq"), text_of(bytes));
  PackedModel model = read_packed(folder / "m.uniq");
  write_packed(folder / "m.uniq", small_model({.seed = 2}));
  EXPECT_EQ(describe(model), describe(small_model()));
  // The same file with other bytes, and with none.
  model = read_packed(folder / "m.uniq");
  std::ofstream(folder / "m.uniq", std::ios::in | std::ios::binary) << std::string(2000, 'x');
  EXPECT_EQ(describe(model), describe(small_model({.seed = 2})));
  std::filesystem::resize_file(folder / "m.uniq", 0);
  EXPECT_EQ(describe(model), describe(small_model({.seed = 2})));
  std::filesystem::remove(folder / "m.uniq");
  const PackedModel copy = model;
  model = {};
  EXPECT_EQ(describe(copy), describe(small_model({.seed = 2})));
}

TEST(PackedFile, NoMemoryIsTakenForASparseFile) {
  const TemporaryFolder folder;
  constexpr std::uintmax_t kTerabyte = 1'000'000'000'000;
  const auto expect_refused = [&](const std::string& begin, const std::string& message) {
    std::ofstream(folder / "m.uniq", std::ios::binary) << begin;
    std::filesystem::resize_file(folder / "m.uniq", kTerabyte);
    EXPECT_THAT([&] { read_packed(folder / "m.uniq"); }, ThrowsMessage<Error>(StartsWith(message)));
  };
  expect_refused("", "the file is not a packed model");
  const std::string good = text_of(to_bytes(small_model()));
  expect_refused(good, "the packed model is longer than its header says");
}

/// A sparse file of `size` bytes that begins so, whose header says that size.
void write_sparse(const std::filesystem::path& path, std::vector<std::byte> begin,
                  std::uint64_t size) {
  store(begin, 16, size);
  store(begin, 48, size - load<std::uint64_t>(begin, 40));
  std::ofstream(path, std::ios::binary) << text_of(begin);
  std::filesystem::resize_file(path, size);
}

// The header may say what the metadata does not account for.
TEST(PackedFile, NoMemoryIsTakenForWhatTheMetadataDoesNotNeed) {
  const TemporaryFolder folder;
  const std::vector<std::byte> good = to_bytes(small_model());
  const auto blobs = load<std::uint64_t>(good, 40);
  for (const std::uint64_t size :
       {(std::uint64_t{1} << 26) + 1, std::uint64_t{1} << 31, std::uint64_t{1'000'000'000'000}}) {
    write_sparse(folder / "m.uniq", good, size);
    EXPECT_THAT([&] { read_packed(folder / "m.uniq"); },
                ThrowsMessage<Error>("the packed model is not as large as its metadata says (" +
                                     (folder / "m.uniq").string() + "): got " +
                                     std::to_string(size - blobs) + " bytes of blobs, expected " +
                                     std::to_string(good.size() - blobs) +
                                     "; try to copy or download the file again"));
  }
  std::vector<std::byte> bad = good;
  store(bad, 40, blobs + 64);
  write_sparse(folder / "m.uniq", bad, std::uint64_t{1} << 31);
  EXPECT_THAT(
      [&] { read_packed(folder / "m.uniq"); },
      ThrowsMessage<Error>(AllOf(StartsWith("the offset of the blobs in the header is wrong"),
                                 EndsWith("; try to copy or download the file again"))));
  bad = good;
  store(bad, 64, std::uint32_t{0});
  write_sparse(folder / "m.uniq", bad, std::uint64_t{1} << 31);
  EXPECT_THAT([&] { read_packed(folder / "m.uniq"); },
              ThrowsMessage<Error>(AllOf(StartsWith("the metadata is not valid"),
                                         EndsWith("; try to copy or download the file again"))));
}

// One that is large and needs it: its metadata is looked at first, and then all of it.
TEST(PackedFile, LargeFilesAreRead) {
  const TemporaryFolder folder;
  ModelMaker m(1);
  const int picture = m.input({64, 1, 1}, {{}});
  const int small = m.conv("small", picture, {.out_channels = 4096, .bits = 0}, {{}});
  const int wide = m.conv("wide", small, {.out_channels = 4100, .bits = 0}, {{}});
  const PackedModel model =
      m.finish(m.conv("fc", wide, {.out_channels = 3, .bits = 0}, {{.affine = true}}));
  EXPECT_GT(write_packed(folder / "m.uniq", model).total, std::size_t{1} << 26);
  const PackedModel read = read_packed(folder / "m.uniq");
  for (std::size_t node = 0; node < model.nodes.size(); ++node)
    EXPECT_TRUE(std::ranges::equal(read.nodes[node].weights.bytes, model.nodes[node].weights.bytes))
        << node;
}

TEST(PackedFile, WhatCannotBeOpened) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { read_packed(folder / "missing"); },
              ThrowsMessage<Error>("cannot open the file (" + (folder / "missing").string() +
                                   "): got No such file or directory; try to check the path"));
  EXPECT_THAT([&] { read_packed(folder.path()); },
              ThrowsMessage<Error>(HasSubstr("Is a directory")));
  EXPECT_THAT([&] { read_packed("/dev/null"); },
              ThrowsMessage<Error>(HasSubstr("got Invalid argument; try a regular file")));
  write_file(folder / "empty", "");
  EXPECT_THAT([&] { read_packed(folder / "empty"); },
              ThrowsMessage<Error>(HasSubstr("the file is not a packed model")));
}

TEST(PackedFile, IsWrittenWholeOrNotAtAll) {
  const TemporaryFolder folder;
  write_file(folder / "m.uniq", "old");
  PackedModel bad = small_model();
  bad.output = 99;
  EXPECT_THAT([&] { write_packed(folder / "m.uniq", bad); },
              ThrowsMessage<Error>(
                  HasSubstr("output of the network is no value (" + (folder / "m.uniq").string())));
  constexpr int kCalls = 4;  // write, fsync, close, rename
  for (int call = 0; call < kCalls; ++call) {
    FaultInjection::Plan plan;
    plan.failing_call = call;
    plan.error = ENOSPC;
    const FaultInjection faults(plan);
    EXPECT_THAT([&] { write_packed(folder / "m.uniq", small_model()); },
                ThrowsMessage<Error>(HasSubstr("No space left on device")))
        << call;
  }
  EXPECT_EQ(read_file(folder / "m.uniq"), "old");
}

// A file of the first version, which every later program reads. version1.txt says what it holds.
TEST(PackedFile, VersionOneIsReadForEver) {
  const std::string folder = UNIQ_FORMAT_TESTS;
  const PackedModel model = read_packed(folder + "/version1.uniq");
  EXPECT_EQ(describe(model), read_file(folder + "/version1.txt"));
  EXPECT_EQ(text_of(to_bytes(model)), read_file(folder + "/version1.uniq"));
}

// And one of the second, with sums beyond 32 bits.
TEST(PackedFile, VersionTwoIsReadForEver) {
  const std::string file = std::string(UNIQ_FORMAT_TESTS) + "/version2.uniq";
  const PackedModel model = read_packed(file);
  EXPECT_EQ(describe(model), describe(uniq::testing::long_sums(674, 7)));
  EXPECT_EQ(text_of(to_bytes(model)), read_file(file));
}

// What version 1 can hold is written as it always was; only what it cannot is version 2, and
// nothing but the number is other then.
TEST(PackedFile, TheVersionIsTheLowestThatHoldsTheModel) {
  for (const int bits : {1, 2, 8}) {
    const PackedModel model = small_model({.weight_bits = bits, .activation_bits = bits});
    EXPECT_EQ(packed_version(model), 1u);
    EXPECT_EQ(to_bytes(model), to_bytes_as(1, model));
  }
  EXPECT_EQ(packed_version(uniq::testing::long_sums(1321, 5)), 1u);
  const PackedModel wide = uniq::testing::long_sums(674, 7);
  EXPECT_EQ(packed_version(wide), 2u);
  std::vector<std::byte> as_version_1 = to_bytes_as(1, wide);
  uniq::testing::store(as_version_1, 8, std::uint32_t{2});
  uniq::testing::seal(as_version_1);
  EXPECT_EQ(to_bytes(wide), as_version_1);
  EXPECT_EQ(describe(read_packed(to_bytes(wide), "m.uniq")), describe(wide));
}

TEST(PackedFile, TheDocumentationQuotesTheSchema) {
  const std::string root = UNIQ_SOURCE;
  const std::string schema = read_file(root + "/uniq/format/packed_model.fbs");
  EXPECT_THAT(read_file(root + "/docs/format.md"), HasSubstr("```\n" + schema + "```\n"));
}

}  // namespace
}  // namespace uniq::format
