#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/graph/expect_error.h"
#include "tests/graph/small_networks.h"
#include "tests/support/random_test.h"
#include "uniq/base/error.h"
#include "uniq/graph/bit_plan.h"

namespace uniq::graph {
namespace {

using Json = nlohmann::json;

BitPlan plan_of(Method method, int weight_bits, int activation_bits) {
  return make_bit_plan(
      residual_network(),
      {.method = method, .weight_bits = weight_bits, .activation_bits = activation_bits});
}

/// The refusal of the w2a2 plan's JSON after `change`.
template <class Change>
std::string json_refusal(Change&& change) {
  Json json = Json::parse(to_json(plan_of(Method::uniq, 2, 2)));
  change(json);
  return error_of<Error>([&] { bit_plan_from_json(json.dump(), residual_network()); });
}

TEST(BitPlanJson, IsReadBackEqual) {
  const Graph graph = residual_network();
  for (const Method method : {Method::uniq, Method::lsq, Method::pact, Method::dorefa}) {
    for (int bits = method == Method::lsq ? 2 : 1; bits <= 8; ++bits) {
      const BitPlan plan = plan_of(method, bits, bits);
      EXPECT_EQ(bit_plan_from_json(to_json(plan), graph), plan);
    }
  }
  BitRequest request{.weight_bits = 1, .activation_bits = 2, .granularity = Granularity::kernel};
  request.overrides = {{"conv2", 0, 0}};
  const BitPlan plan = make_bit_plan(graph, request);
  EXPECT_EQ(bit_plan_from_json(to_json(plan), graph), plan);
}

TEST(BitPlanJson, SaysWhatItMeans) {
  const Json json = Json::parse(to_json(plan_of(Method::lsq, 4, 2)));
  EXPECT_EQ(json["method"], "lsq");
  EXPECT_EQ(json["layers"]["conv1"], (Json{{"weight_bits", 4},
                                           {"activation_bits", 2},
                                           {"range", "non-negative"},
                                           {"weight_grid", "mid-tread"},
                                           {"activation_grid", "unsigned"},
                                           {"granularity", "layer"}}));
}

TEST(BitPlanJson, RefusesWhatIsNoPlan) {
  const Graph graph = residual_network();
  for (const char* text : {"", "{", "[1,", "\xff"}) {
    EXPECT_EQ(error_of<Error>([&] { bit_plan_from_json(text, graph); }),
              "bit plan: text is not JSON: expected an object");
  }
  for (const char* text :
       {"[]", "1", "null", "\"uniq\"", "{}", R"({"method":1})", R"({"method":"uniq"})",
        R"({"method":"uniq","layers":[]})", R"({"method":"uniq","layers":{"stem":3}})"}) {
    EXPECT_NE(error_of<Error>([&] { bit_plan_from_json(text, graph); }), "") << text;
  }
  EXPECT_NE(error_of<Error>([&] { bit_plan_from_json(std::string(1 << 20, '['), graph); }), "");
}

TEST(BitPlanJson, RefusesThePlanOfAnotherNetwork) {
  EXPECT_EQ(json_refusal([](Json& json) { json["layers"].erase("conv1"); }),
            "bit plan: entry is missing (layers): got no conv1, expected conv1");
  EXPECT_EQ(json_refusal([](Json& json) { json["layers"]["conv9"] = json["layers"]["conv1"]; }),
            "bit plan: layer is not in the network: got conv9, expected a convolution or linear "
            "layer of the graph");
}

TEST(BitPlanJson, RefusesWidthsAndMethods) {
  EXPECT_EQ(json_refusal([](Json& json) { json["layers"]["conv1"]["weight_bits"] = 9; }),
            "bit plan: weight_bits out of range (layer conv1): got 9, expected 1 to 8, or 0 for "
            "fp32");
  for (const Json& bits : {Json(-1), Json(2.5), Json("2"), Json(nullptr), Json(true),
                           Json(4294967298), Json(18446744073709551615u)}) {
    EXPECT_NE(json_refusal([&](Json& json) { json["layers"]["conv1"]["weight_bits"] = bits; }), "");
  }
  EXPECT_NE(json_refusal([](Json& json) {
              json["layers"]["conv1"]["activation_bits"] = 0;
            }).find("one of the two widths is missing (layer conv1)"),
            std::string::npos);
  EXPECT_NE(json_refusal([](Json& json) { json["method"] = "unic"; }).find("try uniq"),
            std::string::npos);
}

TEST(BitPlanJson, RefusesGridsThatTheRulesDoNotGive) {
  EXPECT_EQ(json_refusal([](Json& json) { json["layers"]["conv1"]["weight_grid"] = "mid-tread"; }),
            "bit plan: weight_grid does not fit the network (layer conv1): got mid-tread, expected "
            "\"mid-rise\"");
  EXPECT_NE(json_refusal([](Json& json) { json["layers"]["fc"]["range"] = "signed"; }), "");
  EXPECT_NE(json_refusal([](Json& json) { json["layers"]["fc"].erase("activation_grid"); }), "");
  EXPECT_NE(json_refusal([](Json& json) { json["layers"]["fc"]["granularity"] = "kernels"; }), "");
  EXPECT_EQ(json_refusal([](Json& json) { json["layers"]["fc"]["bits"] = 4; }),
            "bit plan: unknown entry (layer fc): got bits, expected none of that name");
  EXPECT_NE(json_refusal([](Json& json) { json["method"] = "lsq"; }), "");
}

using RandomBitPlanJson = testing::RandomTest;

TEST_F(RandomBitPlanJson, DamagedTextIsReadOrRefused) {
  const Graph graph = residual_network();
  const std::string text = to_json(plan_of(Method::uniq, 2, 2));
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = text;
    damaged[random_() % damaged.size()] = static_cast<char>(random_() % 256);
    damaged.erase(random_() % damaged.size(), random_() % 2);
    SCOPED_TRACE(damaged);
    try {
      bit_plan_from_json(damaged, graph);
    } catch (const Error& error) {
      ASSERT_EQ(typeid(error), typeid(Error)) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace uniq::graph
