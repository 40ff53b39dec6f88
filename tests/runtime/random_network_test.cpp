// Networks with random weights, run: their codes are spread over the grids as trained ones' are.
#include "uniq/pack/random_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "uniq/grid/optimal_step.h"
#include "uniq/models/models.h"
#include "uniq/runtime/session.h"

namespace uniq::runtime {
namespace {

/// Smooth colours, edges and some grain, as photographs have them.
std::vector<std::uint8_t> photograph(const models::ModelInput& size) {
  std::vector<std::uint8_t> pixels;
  for (std::int64_t y = 0; y < size.height; ++y)
    for (std::int64_t x = 0; x < size.width; ++x)
      for (std::int64_t c = 0; c < size.channels; ++c) {
        const double v = static_cast<double>(y) / static_cast<double>(size.height);
        const double u = static_cast<double>(x) / static_cast<double>(size.width);
        const double smooth = 50 * std::sin(9 * v + static_cast<double>(c)) + 40 * std::sin(16 * u);
        const double edges = std::fmod(7 * u, 2.0) > 1.0 ? 35.0 : 0.0;
        const auto grain = static_cast<double>((x * 7 + y * 13 + x * y + c) % 17);
        pixels.push_back(
            static_cast<std::uint8_t>(std::clamp(105 + smooth + edges + grain, 0.0, 255.0)));
      }
  return pixels;
}

double entropy(const std::vector<double>& shares) {
  double bits = 0.0;
  for (const double share : shares)
    if (share > 0.0) bits -= share * std::log2(share);
  return bits;
}

/// The shares of the codes that the optimal step gives the source which it is made for.
std::vector<double> ideal_shares(const format::Encoding& encoding) {
  const bool half = encoding.grid == Grid::unsigned_;
  const double step = half ? optimal_step(Source::half_normal, Grid::unsigned_, encoding.bits)
                           : optimal_step(Source::gaussian, Grid::mid_rise, encoding.bits);
  const auto above = [&](int code) {
    const double threshold = step * (code - 0.5 + grid_offset(encoding.grid, encoding.bits));
    return std::erfc(threshold / std::numbers::sqrt2) / 2;
  };
  std::vector<double> shares;
  for (int code = 0; code <= max_code(encoding.bits); ++code)
    shares.push_back((code == 0 ? 1.0 : above(code)) -
                     (code == max_code(encoding.bits) ? 0.0 : above(code + 1)));
  return shares;
}

std::vector<double> shares_of_codes(Session& session, int value) {
  const format::PackedValue& of = session.network().values()[static_cast<std::size_t>(value)];
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(of.shape.elements()));
  session.read(value, codes);
  std::vector<double> shares(static_cast<std::size_t>(max_code(of.encoding.bits)) + 1);
  for (const std::uint8_t code : codes)
    shares[code] += 1.0 / static_cast<double>(of.shape.elements());
  return shares;
}

struct Case {
  const char* model;
  int weight_bits;
  int activation_bits;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.model << " w" << c.weight_bits << "a" << c.activation_bits;
}

class RandomNetwork : public ::testing::TestWithParam<Case> {};

// What a dead or a constant layer would fail is half of the ideal entropy (at 2 bits a step nearly
// three times too large leaves that), and a saturated one the share of the last code.
TEST_P(RandomNetwork, SpreadsItsCodesInEveryLayer) {
  const auto [name, weight_bits, activation_bits] = GetParam();
  const models::ModelInput input = models::usual_input(name);
  const graph::Graph graph = models::build_model(name, input);
  const pack::RandomNetwork made = pack::random_network(
      graph,
      graph::make_bit_plan(
          graph, {.weight_bits = weight_bits, .activation_bits = activation_bits, .end_bits = 8}),
      1);
  const auto network = std::make_shared<const Network>(
      pack::pack(made.info, pack::tensors_of(made)).model, NetworkOptions{.keep_values = true});
  Session session(network, {.threads = 2});
  std::vector<float> logits(static_cast<std::size_t>(network->classes()));
  session.run(photograph(input), logits);

  int seen = 0;
  for (std::size_t id = 1; id < network->values().size(); ++id) {  // 0 is the picture
    const format::PackedValue& value = network->values()[id];
    if (!value.encoding.is_codes()) continue;
    ++seen;
    SCOPED_TRACE(network->steps()[static_cast<std::size_t>(value.node)].name);
    const std::vector<double> shares = shares_of_codes(session, static_cast<int>(id));
    const std::vector<double> ideal = ideal_shares(value.encoding);
    EXPECT_GT(entropy(shares), 0.5 * entropy(ideal)) << ::testing::PrintToString(shares);
    EXPECT_LT(shares.back(), ideal.back() + 0.1) << ::testing::PrintToString(shares);
    // With more bits the last codes stand for what is rare.
    if (value.encoding.bits > 4) continue;
    for (const double share : shares) EXPECT_GT(share, 0.0) << ::testing::PrintToString(shares);
  }
  EXPECT_GE(seen, 4);
  for (const float logit : logits) EXPECT_LT(std::abs(logit), 10.0f);
}

INSTANTIATE_TEST_SUITE_P(Models, RandomNetwork,
                         ::testing::Values(Case{"preact_resnet18", 2, 2},
                                           Case{"preact_resnet18", 1, 2},
                                           Case{"preact_resnet34", 1, 1}, Case{"mobilenetv2", 1, 1},
                                           Case{"mobilenetv2", 4, 4}, Case{"mobilenetv2", 8, 8},
                                           Case{"preact_resnet20", 3, 3}, Case{"vgg_small", 2, 4},
                                           Case{"lenet", 2, 2}));

}  // namespace
}  // namespace uniq::runtime
