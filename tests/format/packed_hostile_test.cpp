// Files that are damaged, or were made to do harm.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/format/bad_models.h"
#include "tests/format/packed_bytes.h"
#include "tests/format/small_model.h"
#include "tests/format/untrusted_model.h"
#include "tests/support/random_test.h"
#include "uniq/base/error.h"
#include "uniq/format/packed_file.h"

namespace uniq::format {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using uniq::testing::load;
using uniq::testing::ModelMaker;
using uniq::testing::read_untrusted_model;
using uniq::testing::seal;
using uniq::testing::seal_size;
using uniq::testing::small_model;
using uniq::testing::store;

using Bytes = std::vector<std::byte>;

/// The error's text; empty where the file is read.
std::string refusal(std::span<const std::byte> file) {
  try {
    read_packed(file, "m.uniq");
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// Two nodes, both kinds of output, padding in front of the weights: few bytes, so that every one
/// can be changed.
const Bytes& tiny_file() {
  static const Bytes file = [] {
    ModelMaker m(3);
    const int picture =
        m.input({1, 2, 2}, {{.encoding = {.bits = 2, .grid = Grid::unsigned_, .step = 0.5f}}});
    return to_bytes(
        m.finish(m.conv("fc", picture, {.out_channels = 3, .window = {.kernel = 2}, .bits = 3},
                        {{.affine = true, .relu = true}})));
  }();
  return file;
}

TEST(HostilePacked, CutOffAtEveryLength) {
  const Bytes file = to_bytes(small_model());
  for (std::size_t length = 0; length < file.size(); ++length) {
    const std::string text = refusal(std::span(file).first(length));
    const std::string got = std::to_string(length) + " bytes, expected ";
    if (length < 8) {
      ASSERT_EQ(text,
                "the file is not a packed model (m.uniq): expected the identifier of a .uniq file "
                "at its start; try a file that `uniqnn pack` has written");
    } else {
      ASSERT_EQ(text, "the packed model is cut off (m.uniq): got " + got +
                          (length < 64 ? "at least 64" : std::to_string(file.size())) +
                          "; try to copy or download the file again");
    }
  }
}

TEST(HostilePacked, EveryFieldOfTheHeader) {
  const Bytes file = to_bytes(small_model());
  const auto metadata = load<std::uint64_t>(file, 32);
  const auto blobs = load<std::uint64_t>(file, 40);
  const std::string size = std::to_string(file.size());
  const auto changed = [&file](std::size_t offset, auto value) {
    Bytes copy = file;
    store(copy, offset, value);
    seal(copy);
    return refusal(copy);
  };
  EXPECT_THAT(changed(0, 'x'), StartsWith("the file is not a packed model (m.uniq)"));
  EXPECT_EQ(changed(8, std::uint32_t{2}),
            "the packed model's version is not that of what it holds (m.uniq): got version 2, "
            "expected version 1; try to pack the checkpoint again");
  EXPECT_EQ(changed(8, std::uint32_t{3}),
            "the packed model is of a newer version (m.uniq): got version 3, expected at most 2; "
            "try a newer uniqnn, or to pack the checkpoint again with this one");
  EXPECT_THAT(changed(8, ~std::uint32_t{0}), HasSubstr("got version 4294967295"));
  EXPECT_EQ(changed(8, std::uint32_t{0}),
            "the packed model has no valid version (m.uniq): got 0, expected 1 to 2; try to "
            "copy or download the file again");
  EXPECT_EQ(changed(12, std::uint32_t{65}),
            "the size of the header in the header is wrong (m.uniq): got 65, expected 64");
  EXPECT_EQ(changed(16, std::uint64_t{file.size() - 1}),
            "the packed model is longer than its header says (m.uniq): got " + size +
                " bytes, expected " + std::to_string(file.size() - 1) +
                "; try to copy or download the file again");
  EXPECT_THAT(changed(16, ~std::uint64_t{0}), HasSubstr("expected 18446744073709551615"));
  EXPECT_EQ(changed(24, std::uint64_t{128}),
            "the offset of the metadata in the header is wrong (m.uniq): got 128, expected 64");
  for (const std::uint64_t wrong : {~std::uint64_t{0}, ~std::uint64_t{63}, blobs * 1000}) {
    EXPECT_EQ(changed(32, wrong), "the size of the metadata in the header is wrong (m.uniq): got " +
                                      std::to_string(wrong) + ", expected at most " +
                                      std::to_string(file.size() - 64));
  }
  EXPECT_EQ(changed(32, metadata + 64),
            "the offset of the blobs in the header is wrong (m.uniq): got " +
                std::to_string(blobs) + ", expected " + std::to_string(blobs + 64));
  EXPECT_EQ(changed(40, std::uint64_t{0}),
            "the offset of the blobs in the header is wrong (m.uniq): got 0, expected " +
                std::to_string(blobs));
  EXPECT_EQ(changed(48, ~std::uint64_t{0}),
            "the size of the blobs in the header is wrong (m.uniq): got 18446744073709551615, "
            "expected " +
                std::to_string(file.size() - blobs));
  EXPECT_EQ(changed(60, std::uint32_t{1}),
            "the reserved field in the header is wrong (m.uniq): got 1, expected 0");
}

TEST(HostilePacked, MetadataThatReachesTheEnd) {
  // Its padding would lie behind the end of the file.
  Bytes file = tiny_file();
  file.resize(64 + 100);
  store(file, 32, std::uint64_t{100});
  store(file, 40, std::uint64_t{192});
  seal_size(file);
  EXPECT_EQ(refusal(file),
            "the packed model ends within the padding of its metadata (m.uniq): got 164 bytes, "
            "expected at least 192");
}

TEST(HostilePacked, EveryFlippedBitIsNoticed) {
  const Bytes good = to_bytes(small_model());
  ASSERT_EQ(refusal(good), "");
  Bytes file = good;
  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    const std::size_t at = bit / 8;
    file[at] ^= static_cast<std::byte>(1u << bit % 8);
    const std::string text = refusal(file);
    const bool length = at >= 16 && at < 24;
    const std::string expected = at < 8    ? "the file is not a packed model"
                                 : at < 12 ? "the packed model"  // 0 or newer
                                 : !length ? "the packed model is damaged"
                                 : text.find("cut off") != std::string::npos
                                     ? "the packed model is cut off"
                                     : "the packed model is longer than its header says";
    ASSERT_EQ(text.rfind(expected + (at >= 8 && at < 12 ? "" : " (m.uniq)"), 0), 0u)
        << "bit " << bit << ": " << text;
    file[at] = good[at];
  }
}

TEST(HostilePacked, DamageBehindARightChecksumIsReadOrRefused) {
  const Bytes& good = tiny_file();
  ASSERT_TRUE(read_untrusted_model(good));
  std::map<bool, int> outcomes;
  Bytes file = good;
  for (std::size_t at = 0; at < file.size(); ++at) {
    if (at >= 56 && at < 60) continue;  // the checksum itself
    for (unsigned bit = 0; bit < 8; ++bit) {
      file[at] ^= static_cast<std::byte>(1u << bit);
      seal(file);
      ++outcomes[read_untrusted_model(file)];
      file[at] = good[at];
    }
  }
  // Numbers and codes may be others; structure may not.
  EXPECT_GT(outcomes[true], 200);
  EXPECT_GT(outcomes[false], 2000);
}

TEST(HostilePacked, EveryByteOfTheMetadataSetToOddValues) {
  const Bytes good = to_bytes(small_model());
  const std::size_t end = 64 + load<std::uint64_t>(good, 32);
  std::set<std::string> seen;
  Bytes file = good;
  for (std::size_t at = 64; at < end; ++at) {
    for (const unsigned value : {0u, 1u, 6u, 0x7fu, 0x80u, 0xffu}) {
      file[at] = static_cast<std::byte>(value);
      seal(file);
      const std::string text = refusal(file);
      seen.insert(text.substr(0, text.find(" (m.uniq")));
    }
    file[at] = good[at];
  }
  // Every check that only the metadata's own bytes can fail.
  for (const char* const what :
       {"the metadata is not valid", "the metadata has a field that this program does not know",
        "unknown operator", "unknown grid", "unknown kind of a stage",
        "the outputs have more stages than the node", "stages belong to no output",
        "window of a node is out of place", "weights of a node are out of place",
        "an fp32 output has a grid or a step", "fp32 weights have a grid",
        "the weights of node number 13 lie outside of the file", "bytes that belong to no node",
        "operand is not computed before its use", "shape does not follow from the operands",
        "name of a node is not valid", "two nodes have one name"}) {
    EXPECT_TRUE(seen.contains(what)) << what;
  }
}

/// Offsets of all padding bytes.
std::vector<std::size_t> padding_of(const PackedModel& model) {
  PackedSizes sizes;
  to_bytes(model, &sizes);
  std::vector<std::size_t> offsets;
  std::size_t at = sizes.header + sizes.metadata;
  const auto pad = [&] {
    for (; at % 64 != 0; ++at) offsets.push_back(at);
  };
  pad();
  for (const PackedSizes::Node& node : sizes.nodes) at += node.parameters;
  for (const PackedSizes::Node& node : sizes.nodes) {
    if (node.codes == 0) continue;
    pad();
    at += node.codes;
  }
  EXPECT_EQ(offsets.size(), sizes.padding);
  return offsets;
}

TEST(HostilePacked, PaddingIsZero) {
  Bytes file = to_bytes(small_model());
  const std::vector<std::size_t> offsets = padding_of(small_model());
  ASSERT_GT(offsets.size(), 64u);
  for (const std::size_t offset : offsets) {
    file[offset] = std::byte{1};
    seal(file);
    const std::string text = refusal(file);
    file[offset] = std::byte{0};
    if (offset < load<std::uint64_t>(file, 40)) {
      ASSERT_EQ(text, "the padding behind the metadata is not zero (m.uniq): expected zeros");
    } else {
      ASSERT_THAT(text, StartsWith("the padding in front of the weights of node number "));
      ASSERT_THAT(text, HasSubstr(" is not zero (m.uniq): expected zeros"));
    }
  }
}

TEST(HostilePacked, BytesThatBelongToNoNode) {
  Bytes file = to_bytes(small_model());
  const std::size_t blobs = file.size() - load<std::uint64_t>(file, 40);
  file.resize(file.size() + 64);
  seal_size(file);
  EXPECT_EQ(refusal(file), "bytes that belong to no node (m.uniq): got " +
                               std::to_string(blobs + 64) + " bytes of blobs, expected " +
                               std::to_string(blobs));
}

TEST(HostilePacked, BlobsThatAreTooShort) {
  Bytes file = to_bytes(small_model());
  file.resize(file.size() - 1);
  seal_size(file);
  EXPECT_EQ(refusal(file),
            "the weights of node number 13 lie outside of the file (m.uniq): got 10 bytes, "
            "expected at most 9");
  file.resize(load<std::uint64_t>(file, 40) + 7);
  seal_size(file);
  EXPECT_EQ(refusal(file),
            "the parameters of node number 1 lie outside of the file (m.uniq): got 32 bytes, "
            "expected at most 7");
}

/// Lets all class names of a file be the first one.
void share_names(std::span<std::byte> file, std::uint32_t count) {
  const std::size_t end = 64 + load<std::uint64_t>(file, 32);
  for (std::size_t at = 64; at + 4 * (count + 1) < end; at += 4) {
    if (load<std::uint32_t>(file, at) != count) continue;
    const std::size_t first = at + 4;
    const std::size_t target = first + load<std::uint32_t>(file, first);
    if (target + 4 > end || load<std::uint32_t>(file, target) != 256) continue;
    for (std::uint32_t i = 0; i < count; ++i) {
      store(file, first + 4 * i, static_cast<std::uint32_t>(target - first - 4 * i));
    }
    seal(file);
    return;
  }
  FAIL() << "no vector of " << count << " names";
}

TEST(HostilePacked, PartsThatShareBytes) {
  constexpr int kClasses = 300;
  ModelMaker m(1);
  PackedModel model = m.finish(m.input({kClasses, 1, 1}, {{}}));
  model.classes[0] = std::string(256, 'x');
  Bytes file = to_bytes(model);
  ASSERT_EQ(refusal(file), "");
  share_names(file, kClasses);
  // A few kB that would make a model of any size.
  EXPECT_EQ(refusal(file),
            "parts of the metadata share bytes (m.uniq): expected bytes of their own");
}

TEST(HostilePacked, BadModelsInFiles) {
  int refused = 0;
  for (const uniq::testing::BadModel& bad : uniq::testing::bad_models()) {
    PackedModel model = small_model();
    bad.change(model);
    if (!read_untrusted_model(to_bytes_as(1, model))) ++refused;
  }
  // Six changes do not reach a file: it has no place for the preprocessing's own size, for the
  // parameters of a pool or of a ReLU, for the window of an add or the groups of a pool; and a
  // number that is missing is taken from the next ones, up to the padding.
  EXPECT_EQ(refused, static_cast<int>(uniq::testing::bad_models().size()) - 6);
}

using RandomHostilePacked = testing::RandomTest;

TEST_F(RandomHostilePacked, RandomDamageIsReadOrRefused) {
  const Bytes good = to_bytes(small_model());
  std::map<bool, int> outcomes;
  constexpr int kFiles = 1500;
  for (int i = 0; i < kFiles; ++i) {
    Bytes file = good;
    for (unsigned change = random_() % 3 + 1; change > 0; --change) {
      const std::size_t at = random_() % file.size();
      if (random_() % 4 != 0) {
        file[at] = static_cast<std::byte>(random_());
      } else if (random_() % 2 != 0) {
        file.erase(file.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        std::rotate(file.begin() + static_cast<std::ptrdiff_t>(at / 2),
                    file.begin() + static_cast<std::ptrdiff_t>(at), file.end());
      }
    }
    seal_size(file);
    ++outcomes[read_untrusted_model(file)];
  }
  EXPECT_GT(outcomes[false], kFiles / 4);
  EXPECT_GT(outcomes[true], 10);
}

// Version 1 says that sums fit 32 bits, and its programs would let them wrap; version 2 of a model
// that version 1 can hold would be a second file of it.
TEST(HostilePacked, AVersionThatIsNotThatOfTheModel) {
  for (const auto& [model, reason] :
       {std::pair{uniq::testing::long_sums(674, 7), "node long: sums up to 2147515650"},
        {uniq::testing::many_outputs(65), "node input: 65 outputs"}}) {
    EXPECT_EQ(refusal(to_bytes(model)), "");
    EXPECT_EQ(load<std::uint32_t>(to_bytes(model), 8), 2u);
    EXPECT_EQ(refusal(to_bytes_as(1, model)),
              std::string("the packed model's version is not that of what it holds (m.uniq, ") +
                  reason +
                  "): got version 1, expected version 2; try to pack the checkpoint again");
  }
  EXPECT_THAT(refusal(to_bytes_as(2, uniq::testing::long_sums(1321, 5))),
              HasSubstr("got version 2, expected version 1"));
}

TEST(HostilePacked, DamageOfVersion2IsReadOrRefused) {
  const Bytes good = to_bytes(uniq::testing::many_outputs(65));
  ASSERT_TRUE(read_untrusted_model(good));
  std::map<bool, int> outcomes;
  Bytes file = good;
  constexpr std::size_t kStride = 5;
  for (std::size_t at = 0; at < file.size(); at += kStride) {
    file[at] ^= static_cast<std::byte>(1u << at % 8);
    seal(file);
    ++outcomes[read_untrusted_model(file)];
    file[at] = good[at];
  }
  EXPECT_GT(outcomes[true], 50);
  EXPECT_GT(outcomes[false], 500);
}

}  // namespace
}  // namespace uniq::format
