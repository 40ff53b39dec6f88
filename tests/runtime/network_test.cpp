#include "uniq/runtime/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "tests/runtime/packed_networks.h"
#include "uniq/models/models.h"
#include "uniq/runtime/session.h"

namespace uniq::runtime {
namespace {

using testing::random_packed_network;

std::vector<std::byte> weights_of(const format::PackedModel& model) {
  std::vector<std::byte> bytes;
  for (const format::PackedNode& node : model.nodes)
    bytes.insert(bytes.end(), node.weights.bytes.begin(), node.weights.bytes.end());
  return bytes;
}

std::vector<float> logits(std::shared_ptr<const Network> network) {
  const std::vector<std::uint8_t> picture(static_cast<std::size_t>(network->picture_bytes()), 99);
  std::vector<float> found(static_cast<std::size_t>(network->classes()));
  Session(std::move(network), {.threads = 1}).run(picture, found);
  return found;
}

// A served model keeps what kernels made of its weights, and not what they were made of.
TEST(Network, KeepsNoWeightsOfTheFile) {
  format::PackedModel model = random_packed_network(11);
  ASSERT_FALSE(weights_of(model).empty());
  const std::weak_ptr<const void> storage = model.storage;
  const auto keeps = std::make_shared<const Network>(model, NetworkOptions{.keep_weights = true});
  EXPECT_EQ(weights_of(keeps->model()), weights_of(model));
  const std::vector<float> expected = logits(keeps);

  const format::PackedModel copy = std::exchange(model, {});
  const auto network = std::make_shared<const Network>(copy);
  EXPECT_FALSE(weights_of(copy).empty()) << "those of others are theirs";
  EXPECT_TRUE(weights_of(network->model()).empty());
  EXPECT_EQ(logits(network), expected);
  EXPECT_FALSE(storage.expired());
}

TEST(Network, LetsGoOfTheFilesBytes) {
  format::PackedModel model = testing::packed_network(
      models::build_model("lenet", {.channels = 1, .height = 28, .width = 28, .classes = 5}),
      {.weight_bits = 3, .activation_bits = 2}, 12);
  const std::weak_ptr<const void> storage = model.storage;
  const format::PackedNode& conv = *std::ranges::find_if(
      model.nodes, [](const format::PackedNode& node) { return !node.weights.scale.empty(); });
  const std::vector<float> scale(conv.weights.scale.begin(), conv.weights.scale.end());
  const std::string name = conv.name;
  const Network network(std::move(model));
  EXPECT_TRUE(storage.expired());
  // Parameters per channel stay, in memory of the model's own.
  for (const format::PackedNode& node : network.model().nodes) {
    if (node.name != name) continue;
    EXPECT_EQ(std::vector<float>(node.weights.scale.begin(), node.weights.scale.end()), scale);
  }
}

}  // namespace
}  // namespace uniq::runtime
