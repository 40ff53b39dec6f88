// Any bytes as a packed model, with sizes and checksum put right, that is prepared and run on one
// picture with the scalar kernels and with the best of this CPU: both give the bits of the
// independent reference of docs/format.md.
#include <algorithm>
#include <cstring>
#include <memory>

#include "tests/format/packed_bytes.h"
#include "tests/format/raw_file.h"
#include "tests/fuzz/fuzzer.h"
#include "tests/runtime/reference.h"
#include "uniq/format/packed_file.h"
#include "uniq/runtime/network.h"
#include "uniq/runtime/session.h"

namespace uniq::runtime {
namespace {

using uniq::testing::ReferenceValue;
using uniq::testing::require;

// A model within these is run in about a millisecond.
constexpr std::int64_t kMostValues = 1 << 14;
constexpr std::int64_t kMostMacs = 1 << 17;

std::int64_t macs_of(const format::PackedNode& node,
                     const std::vector<format::PackedValue>& values) {
  if (node.op == format::PackedOp::input || node.op == format::PackedOp::flatten) return 0;
  const graph::Extent& kernel = node.window.kernel;
  const std::int64_t channels = values[static_cast<std::size_t>(node.inputs[0])].shape.channels;
  return node.shape.elements() * kernel.height * kernel.width *
         (node.op == format::PackedOp::conv ? channels / node.window.groups : 1);
}

bool is_small(const format::PackedModel& model) {
  const std::vector<format::PackedValue> values = format::values_of(model);
  std::int64_t elements = 0;
  for (const format::PackedValue& value : values) {
    elements += value.shape.elements();
    if (elements > kMostValues) return false;
  }
  std::int64_t macs = 0;
  for (const format::PackedNode& node : model.nodes) {
    macs += macs_of(node, values);
    if (macs > kMostMacs) return false;
  }
  return true;
}

/// Every NaN is one value: the format does not say which bits it has.
bool same(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b); }

void run(const format::PackedModel& model, kernels::Isa isa, std::span<const std::uint8_t> picture,
         const std::vector<ReferenceValue>& expected) {
  const auto network =
      std::make_shared<const Network>(model, NetworkOptions{.isa = isa, .keep_values = true});
  Session session(network, {.threads = 1});
  std::vector<float> logits(static_cast<std::size_t>(network->classes()));
  session.run(picture, logits);
  for (std::size_t id = 0; id < expected.size(); ++id) {
    const ReferenceValue& value = expected[id];
    std::vector<float> floats(value.floats.size());
    std::vector<std::uint8_t> codes(value.codes.size());
    if (codes.empty()) {
      session.read(static_cast<int>(id), floats);
    } else {
      session.read(static_cast<int>(id), codes);
    }
    require(codes == value.codes, "the reference's codes");
    require(std::ranges::equal(floats, value.floats, same), "the reference's values");
  }
  require(std::ranges::equal(logits, expected[static_cast<std::size_t>(model.output)].floats, same),
          "the reference's logits");
}

void fuzz(std::string_view contents) {
  const std::span<const std::byte> bytes = uniq::testing::bytes_of(contents);
  std::vector<std::byte> sealed(bytes.begin(), bytes.end());
  uniq::testing::seal_size(sealed);
  const format::PackedModel model = format::read_packed(sealed, "fuzz");
  if (!is_small(model)) throw Error("a model that is larger than those tried here");
  std::vector<std::uint8_t> picture(static_cast<std::size_t>(model.nodes[0].shape.elements()));
  for (std::size_t i = 0; i < picture.size(); ++i) {
    picture[i] = static_cast<std::uint8_t>(i * 89 % 256);
  }
  const std::vector<ReferenceValue> expected = uniq::testing::reference_run(model, picture);
  run(model, kernels::Isa::scalar, picture, expected);
  run(model, kernels::available_isas().back(), picture, expected);
}

const uniq::testing::RegisterFuzzer kFuzzer("packed_run", fuzz);

}  // namespace
}  // namespace uniq::runtime
