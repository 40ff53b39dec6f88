// What is not the checkpoint's is found, and the layer is named.
#include <gtest/gtest.h>
#include <torch/types.h>

#include <bit>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "tests/base/temporary_folder.h"
#include "tests/verify/small_packed.h"
#include "uniq/format/packed_file.h"
#include "uniq/models/models.h"
#include "uniq/verify/compare.h"
#include "uniq/verify/free_run.h"

namespace uniq::verify {
namespace {

using format::PackedNode;
using format::Stage;

constexpr std::uint64_t kChangedSeed = 11;

/// Signed activations, padded with a code; the picture's border, which is left out.
const SmallPacked& signed_network() {
  static const SmallPacked kSmall =
      small_packed(every_node(), {.weight_bits = 3, .activation_bits = 3});
  return kSmall;
}

/// Batch norms as stages behind residuals.
const SmallPacked& preact_network() {
  static const SmallPacked kSmall =
      small_packed(models::build_model("preact_resnet8", {3, 8, 8, 10}),
                   {.weight_bits = 2, .activation_bits = 2});
  return kSmall;
}

const SmallPacked& mid_tread_network() {
  static const SmallPacked kSmall = small_packed(
      every_node(), {.method = graph::Method::lsq, .weight_bits = 4, .activation_bits = 4});
  return kSmall;
}

using Change = std::function<void(Editable& edited)>;

PackedNode& node_of(const SmallPacked& small, Editable& edited, const char* name) {
  return edited.model.nodes[small.node(name)];
}

/// The first affine stage of a node.
Stage& affine_of(PackedNode& node) {
  for (format::PackedOutput& output : node.outputs)
    for (Stage& stage : output.stages)
      if (stage.kind == Stage::Kind::affine) return stage;
  throw std::invalid_argument("no affine stage in " + node.name);
}

struct ChangedCase {
  const char* name;
  const SmallPacked& small;
  Change change;
  std::string layer;    ///< as proof (0) names it
  std::string what;     ///< as proof (0) says it
  std::string runs_in;  ///< as proof (a) names it
  std::string shows;    ///< as proof (a) says it
};

void flip_bit(Editable& edited, std::span<const std::byte> bytes, std::size_t bit) {
  edited.bytes(bytes)[bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
}

std::vector<ChangedCase> changed_cases() {
  const SmallPacked& plain = signed_network();
  const SmallPacked& preact = preact_network();
  const SmallPacked& tread = mid_tread_network();
  const auto weight = [](const SmallPacked& small, const char* layer) {
    return [&small, layer](Editable& edited) {
      flip_bit(edited, node_of(small, edited, layer).weights.bytes, 1);
    };
  };
  return {
      {"first layer's weight", preact, weight(preact, "conv1"), "conv1", "weight code", "conv1",
       "sum"},
      {"weight", preact, weight(preact, "layer2.0.conv1"), "layer2.0.conv1", "weight code",
       "layer2.0.conv1", "sum"},
      {"depthwise weight", plain, weight(plain, "depth"), "depth", "weight code", "depth", "sum"},
      {"scale", plain,
       [&](Editable& edited) {
         edited.floats(node_of(plain, edited, "grouped").weights.scale)[5] *= 1.001f;
       },
       "grouped", "scale", "grouped", "value"},
      {"bias", plain,
       [&](Editable& edited) {
         edited.floats(node_of(plain, edited, "point").weights.bias)[11] += 0.001f;
       },
       "point", "bias", "point", "value"},
      {"stage scale", preact,
       [&](Editable& edited) {
         edited.floats(affine_of(node_of(preact, edited, "conv1")).scale)[3] *= 1.001f;
       },
       "conv1", "stage scale", "conv1", "value"},
      {"stage bias", preact,
       [&](Editable& edited) {
         edited.floats(affine_of(node_of(preact, edited, "layer1.0.conv2")).bias)[3] += 0.001f;
       },
       "layer1.0.conv2", "stage bias", "layer1.0.conv2", "value"},
      {"activation step", preact,
       [&](Editable& edited) {
         for (format::PackedOutput& output : node_of(preact, edited, "layer1.0.conv1").outputs)
           if (output.encoding.is_codes()) output.encoding.step *= 1.05f;
       },
       "layer1.0.conv2", "activation step", "layer1.0.conv1", "code for layer1.0.conv2"},
      {"border of a mid-rise input", preact,
       [&](Editable& edited) { node_of(preact, edited, "conv1").weights.pad_code = 127; }, "conv1",
       "border (code outside the picture)", "conv1", "sum"},
      {"border of a mid-tread input", tread,
       [&](Editable& edited) { node_of(tread, edited, "grouped").weights.pad_code = 0; }, "grouped",
       "border (code outside the picture)", "grouped", "sum"},
  };
}

// Written with a valid checksum, read, and compared with the checkpoint.
TEST(Changed, ProofOfTheParametersNamesTheLayer) {
  const testing::TemporaryFolder folder;
  for (const ChangedCase& c : changed_cases()) {
    SCOPED_TRACE(c.name);
    Editable edited(c.small.packed.model);
    c.change(edited);
    format::write_packed(folder / "changed.uniq", edited.model);
    const Report report = c.small.verify(format::read_packed(folder / "changed.uniq"),
                                         random_pictures(c.small.trained.info, 4, kChangedSeed));
    ASSERT_FALSE(report.proven());
    EXPECT_EQ(report.failure->proof, Proof::parameters);
    EXPECT_EQ(report.failure->layer, c.layer) << to_string(*report.failure);
    EXPECT_EQ(report.failure->what, c.what) << to_string(*report.failure);
    EXPECT_NE(report.failure->packed, report.failure->trained);
  }
}

void flip_lowest_bit(float& value) {
  value = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ 1U);
}

// Far below any bound: a number's lowest bit.
TEST(Changed, ProofOfTheParametersSeesTheLowestBit) {
  const SmallPacked& preact = preact_network();
  const SmallPacked& tread = mid_tread_network();
  struct OneBit {
    const SmallPacked& small;
    const char* node;
    std::function<void(Editable& edited, PackedNode& node)> change;
    std::string layer;
    std::string what;
  };
  const std::vector<OneBit> changes = {
      {preact, "layer3.0.conv2",
       [](Editable& edited, PackedNode& node) {
         flip_bit(edited, node.weights.bytes, 8 * node.weights.bytes.size() - 1);
       },
       "layer3.0.conv2", "weight code"},
      {tread, "grouped",
       [](Editable& edited, PackedNode& node) {
         flip_lowest_bit(edited.floats(node.weights.scale)[7]);
       },
       "grouped", "scale"},
      {tread, "point",
       [](Editable& edited, PackedNode& node) {
         flip_lowest_bit(edited.floats(node.weights.bias)[2]);
       },
       "point", "bias"},
      {preact, "layer1.0.conv2",
       [](Editable& edited, PackedNode& node) {
         flip_lowest_bit(edited.floats(affine_of(node).scale)[4]);
       },
       "layer1.0.conv2", "stage scale"},
      {preact, "layer1.0.conv2",
       [](Editable& edited, PackedNode& node) {
         flip_lowest_bit(edited.floats(affine_of(node).bias)[4]);
       },
       "layer1.0.conv2", "stage bias"},
      {preact, "layer2.0.conv1",
       [](Editable&, PackedNode& node) { flip_lowest_bit(node.outputs.at(0).encoding.step); },
       "layer2.0.conv2", "activation step"},
      {tread, "grouped", [](Editable&, PackedNode& node) { node.weights.pad_code ^= 1; }, "grouped",
       "border (code outside the picture)"},
  };
  const testing::TemporaryFolder folder;
  for (const OneBit& c : changes) {
    SCOPED_TRACE(c.what);
    Editable edited(c.small.packed.model);
    c.change(edited, node_of(c.small, edited, c.node));
    format::write_packed(folder / "changed.uniq", edited.model);
    Report report;
    compare_models(c.small.packed.model, format::read_packed(folder / "changed.uniq"), report);
    ASSERT_FALSE(report.proven());
    EXPECT_EQ(report.failure->layer, c.layer) << to_string(*report.failure);
    EXPECT_EQ(report.failure->what, c.what) << to_string(*report.failure);
  }
}

// The same behind the comparison: in the network that runs.
TEST(Changed, ProofOfTheLayersNamesTheLayer) {
  for (const ChangedCase& c : changed_cases()) {
    SCOPED_TRACE(c.name);
    Editable edited(c.small.packed.model);
    c.change(edited);
    const Report report = c.small.prove(networks_of(edited.model),
                                        random_pictures(c.small.trained.info, 4, kChangedSeed));
    ASSERT_FALSE(report.proven());
    EXPECT_EQ(report.failure->proof, Proof::layers);
    EXPECT_EQ(report.failure->layer, c.runs_in) << to_string(*report.failure);
    EXPECT_EQ(report.failure->what, c.shows) << to_string(*report.failure);
  }
}

TEST(Changed, WeightCodeIsNamedToThePosition) {
  const SmallPacked& small = signed_network();
  Editable edited(small.packed.model);
  // Output channel 9, kernel row 2, column 1, second input channel of the group of 2; 3 bits each.
  constexpr std::size_t kIndex = ((9 * 3 + 2) * 3 + 1) * 2 + 1;
  flip_bit(edited, edited.model.nodes[small.node("grouped")].weights.bytes, kIndex * 3);
  Report report;
  compare_models(small.packed.model, edited.model, report);
  ASSERT_FALSE(report.proven());
  const std::vector<Coordinate> expected = {
      {"output channel", 9}, {"input channel", 1}, {"kernel row", 2}, {"kernel column", 1}};
  EXPECT_EQ(report.failure->position, expected);
  const int packed = std::stoi(report.failure->packed);
  EXPECT_EQ(packed ^ std::stoi(report.failure->trained), 1);
}

TEST(Changed, Fp32WeightIsNamedToThePosition) {
  const SmallPacked small = small_packed(every_node(), {});
  Editable edited(small.packed.model);
  auto weights = edited.bytes(edited.model.nodes[small.node("fc2")].weights.bytes);
  weights[(3 * 7 + 5) * sizeof(float)] ^= std::byte{1};  // of 5 x 7
  Report report;
  compare_models(small.packed.model, edited.model, report);
  ASSERT_FALSE(report.proven());
  EXPECT_EQ(report.failure->what, "weight");
  const std::vector<Coordinate> expected = {
      {"output channel", 3}, {"input channel", 5}, {"kernel row", 0}, {"kernel column", 0}};
  EXPECT_EQ(report.failure->position, expected);
}

TEST(Changed, EverythingElseIsComparedToo) {
  const SmallPacked& small = signed_network();
  using ModelChange = std::function<void(format::PackedModel&)>;
  const std::vector<std::pair<std::string, ModelChange>> changes = {
      {"mean", [](auto& m) { m.preprocessing.mean[1] = 0.25f; }},
      {"deviation", [](auto& m) { m.preprocessing.deviation[0] = 0.3f; }},
      {"resize rule", [](auto& m) { m.preprocessing.resize = "stretch"; }},
      {"number of nodes", [](auto& m) { m.nodes.pop_back(); }},
      {"name", [](auto& m) { m.nodes[2].name = "other"; }},
      {"inputs", [](auto& m) { std::swap(m.nodes[3].inputs, m.nodes[4].inputs); }},
      {"window", [](auto& m) { m.nodes[1].window.stride = 2; }},
      {"weight grid", [](auto& m) { m.nodes[1].weights.grid = Grid::mid_tread; }},
      {"activation grid", [](auto& m) { m.nodes[0].outputs[0].encoding.grid = Grid::unsigned_; }},
      {"activation bits", [](auto& m) { m.nodes[0].outputs[0].encoding.bits = 7; }},
      {"number of outputs", [](auto& m) { m.nodes[1].outputs.emplace_back(); }},
      {"number of stages", [](auto& m) { m.nodes[1].outputs[0].stages.clear(); }},
      {"value that is the output", [](auto& m) { m.output = 1; }},
      {"class", [](auto& m) { m.classes[4] = "other"; }},
  };
  for (const auto& [what, change] : changes) {
    Editable edited(small.packed.model);
    change(edited.model);
    Report report;
    compare_models(small.packed.model, edited.model, report);
    ASSERT_FALSE(report.proven()) << what;
    EXPECT_EQ(report.failure->what, what) << to_string(*report.failure);
  }
  Report report;
  compare_models(small.packed.model, Editable(small.packed.model).model, report);
  EXPECT_TRUE(report.proven());
}

/// A network with a fault in the weights that a layer's kernel reads.
std::shared_ptr<const runtime::Network> faulty_network(const SmallPacked& small, kernels::Isa isa,
                                                       const std::string& layer,
                                                       void (*change)(AlignedBytes& weights)) {
  const auto fault = [&](const std::string& node, AlignedBytes& weights) {
    if (node == layer) change(weights);
  };
  return std::make_shared<const runtime::Network>(
      small.packed.model,
      runtime::NetworkOptions{
          .isa = isa, .keep_values = true, .keep_weights = true, .fault = fault});
}

// Nothing but what was laid out for one instruction set is wrong.
TEST(Changed, WeightsInAKernelsLayoutAreProvenToo) {
  const SmallPacked& small = preact_network();
  const std::string layer = "layer2.0.conv1";
  for (const kernels::Isa isa : kernels::available_isas()) {
    SCOPED_TRACE(kernels::isa_name(isa));
    const auto network = faulty_network(
        small, isa, layer, [](AlignedBytes& weights) { weights.data()[0] ^= std::byte{2}; });
    const Report report =
        small.prove({network}, random_pictures(small.trained.info, 4, kChangedSeed));
    ASSERT_FALSE(report.proven());
    EXPECT_EQ(report.failure->proof, Proof::layers);
    EXPECT_EQ(report.failure->layer, layer);
    EXPECT_EQ(report.failure->what, "sum");
    EXPECT_EQ(report.failure->kernel, network->steps()[small.node(layer)].kernel() + " on " +
                                          std::string(kernels::isa_name(isa)));
    ASSERT_EQ(report.failure->position.size(), 4u);
    EXPECT_EQ(report.failure->position[1], (Coordinate{"channel", 0}));
  }
}

TEST(Changed, WeightsOfSumsIn64BitsAreProvenToo) {
  const SmallPacked small =
      small_packed(wide_sums(), {.weight_bits = 2, .activation_bits = 2, .end_bits = 8});
  for (const kernels::Isa isa : kernels::available_isas()) {
    SCOPED_TRACE(kernels::isa_name(isa));
    // Of the second class, all that the first filter's map is multiplied with.
    const auto network = faulty_network(small, isa, "fc", [](AlignedBytes& bytes) {
      auto* const weights = reinterpret_cast<std::int16_t*>(bytes.data());
      for (std::int64_t i = 0; i < 28 * 28; ++i) weights[48 * 28 * 28 + i] += 1;
    });
    const Report report =
        small.prove({network}, random_pictures(small.trained.info, 2, kChangedSeed));
    ASSERT_FALSE(report.proven());
    EXPECT_EQ(report.failure->proof, Proof::layers);
    EXPECT_EQ(report.failure->layer, "fc");
    EXPECT_EQ(report.failure->what, "sum");
    const std::string name(kernels::isa_name(isa));
    EXPECT_EQ(report.failure->kernel, name + ".sums64 on " + name);
    EXPECT_EQ(report.failure->position[1], (Coordinate{"channel", 1}));
  }
}

/// Proof (b) alone, over all nodes.
Report run_freely(const SmallPacked& small, const format::PackedModel& model) {
  const data::Dataset pictures = random_pictures(small.trained.info, 4, kChangedSeed);
  const std::vector<float> values = data::pixel_values(small.trained.info.preprocessing);
  torch::Tensor input = torch::empty({4, pictures.channels, pictures.height, pictures.width});
  for (std::int64_t i = 0; i < input.numel(); ++i) {
    const std::int64_t c = i % pictures.channels;
    const std::int64_t pixel = i / pictures.channels % (pictures.height * pictures.width);
    input[i / pictures.picture_bytes()][c][pixel / pictures.width][pixel % pictures.width] =
        values[static_cast<std::size_t>(c * 256 + pictures.pixels[static_cast<std::size_t>(i)])];
  }
  Trained trained(small.trained.network);
  trained.run(input);
  const Wiring wiring(small.packed);
  const std::vector<ValueTruth> truths = value_truths(trained, wiring);
  FreeRun free_run(networks_of(model).back(), wiring, 1);
  free_run.start({pictures.pixels.data(), pictures.picture_bytes(), 4, 0});
  Report report;
  for (std::size_t node = 0; node < wiring.nodes() && report.proven(); ++node)
    free_run.check(node, NodeTruth(trained, wiring, node), truths, report);
  if (report.proven()) free_run.finish(truths, report);
  return report;
}

TEST(Changed, FreeRunNamesTheLayerWhoseInputsAgree) {
  const SmallPacked& small = preact_network();
  const Report good = run_freely(small, small.packed.model);
  EXPECT_TRUE(good.proven()) << to_string(*good.failure);
  Editable edited(small.packed.model);
  for (float& bias : edited.floats(node_of(small, edited, "layer2.0.conv1").weights.bias))
    bias += 0.5f;
  const Report report = run_freely(small, edited.model);
  ASSERT_FALSE(report.proven());
  EXPECT_EQ(report.failure->proof, Proof::free_run);
  EXPECT_EQ(report.failure->layer, "layer2.0.conv1");
}

}  // namespace
}  // namespace uniq::verify
