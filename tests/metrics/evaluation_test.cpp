#include "uniq/metrics/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "uniq/base/error.h"

namespace uniq::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

using Logits = std::vector<float>;

/// Six pictures of seven classes. True classes rank: 1st, 5th, 6th, 7th, 2nd, 1st.
const std::vector<std::int64_t> kLabels = {0, 2, 3, 6, 6, 6};
const std::vector<Logits> kLogits = {
    {9.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f}, {9.0f, 8.0f, 1.0f, 3.0f, 4.0f, 0.5f, -1.0f},
    {9.0f, 8.0f, 7.0f, 1.0f, 4.0f, 3.0f, 0.0f}, {9.0f, 8.0f, 7.0f, 6.0f, 5.0f, 4.0f, 3.0f},
    {9.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 8.0f}, {0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f}};

TEST(Evaluator, CountsExactly) {
  Evaluator evaluator(7, "test set");
  double loss = 0.0;
  for (std::size_t i = 0; i < kLabels.size(); ++i) {
    evaluator.add(kLogits[i], kLabels[i]);
    double sum = 0.0;
    for (const float logit : kLogits[i]) sum += std::exp(static_cast<double>(logit));
    loss += std::log(sum) - kLogits[i][static_cast<std::size_t>(kLabels[i])];
  }
  const Evaluation found = evaluator.result();
  EXPECT_EQ(found.pictures, 6);
  EXPECT_EQ(found.top1, 100.0 * 2 / 6);
  EXPECT_EQ(found.top5, 100.0 * 4 / 6);
  // Some ten roundings of terms below 10 on either side: 10 * 10 * 2^-53 is below 1e-13.
  EXPECT_NEAR(found.loss, loss / 6, 1e-13);
  const std::vector<Evaluation::PerClass> classes = {{1, 1}, {0, 0}, {1, 0}, {1, 0},
                                                     {0, 0}, {0, 0}, {3, 1}};
  EXPECT_EQ(found.classes, classes);
}

TEST(Evaluator, PutsEqualLogitsInTheOrderOfArgmax) {
  Evaluator evaluator(7, "test set");
  for (const std::int64_t label : kLabels) evaluator.add(Logits(7, 0.5f), label);
  const Evaluation found = evaluator.result();
  EXPECT_EQ(found.top1, 100.0 * 1 / 6);  // argmax is class 0
  EXPECT_EQ(found.top5, 100.0 * 3 / 6);  // labels 0, 2 and 3 are among the first five
  EXPECT_NEAR(found.loss, std::log(7.0), 1e-15);
}

TEST(Evaluator, HasALossForLogitsWhoseExponentialsOverflow) {
  const float largest = std::numeric_limits<float>::max();
  Evaluator right(2, "test set");
  right.add(Logits{largest, -largest}, 0);
  EXPECT_EQ(right.result().loss, 0.0);
  Evaluator wrong(2, "test set");
  wrong.add(Logits{1000.0f, 0.0f}, 1);
  EXPECT_EQ(wrong.result().loss, 1000.0);
}

TEST(Evaluator, OfNothingIsZero) {
  const Evaluation found = Evaluator(3, "test set").result();
  EXPECT_EQ(found.pictures, 0);
  EXPECT_EQ(found.loss, 0.0);
  EXPECT_EQ(found.top1, 0.0);
  EXPECT_EQ(found.classes.size(), 3u);
}

TEST(Evaluator, RefusesWhatIsNoNumberAndSaysWhere) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    Evaluator evaluator(2, "validation");
    evaluator.add(Logits{1.0f, 2.0f}, 1);
    EXPECT_THAT(
        [&] {
          evaluator.add(Logits{1.0f, bad}, 0);
        },
        ThrowsMessage<Error>("evaluation met NaN or Inf (validation, picture 1): expected "
                             "finite logits; try to inspect the network's file"));
    EXPECT_EQ(evaluator.result().pictures, 1) << "what is refused does not count";
  }
}

TEST(Evaluator, RefusesWhatDoesNotFitTheClasses) {
  Evaluator evaluator(2, "test set");
  EXPECT_THAT([&] { evaluator.add(Logits{1.0f}, 0); },
              ThrowsMessage<Error>(HasSubstr("(test set, picture 0): got 1, expected 2")));
  for (const std::int64_t label : {-1, 2}) {
    EXPECT_THAT(
        [&] {
          evaluator.add(Logits{1.0f, 2.0f}, label);
        },
        ThrowsMessage<Error>(HasSubstr("got " + std::to_string(label) + ", expected 0 to 1")));
  }
}

TEST(Evaluation, Json) {
  Evaluation evaluation{.pictures = 4, .loss = 0.1, .top1 = 75.0, .top5 = 100.0, .classes = {}};
  evaluation.classes = {{3, 2}, {1, 1}, {0, 0}};
  const auto json = nlohmann::json::parse(to_json(evaluation, {"cat", "dog", "\"bird\""}));
  EXPECT_EQ(json.at("pictures"), 4);
  EXPECT_EQ(json.at("loss"), 0.1);
  EXPECT_EQ(json.at("top1"), 75.0);
  EXPECT_EQ(json.at("top5"), 100.0);
  ASSERT_EQ(json.at("classes").size(), 3u);
  EXPECT_EQ(json["classes"][0],
            (nlohmann::json{{"name", "cat"}, {"pictures", 3}, {"top1", 100.0 * 2 / 3}}));
  EXPECT_EQ(json["classes"][2],
            (nlohmann::json{{"name", "\"bird\""}, {"pictures", 0}, {"top1", 0.0}}));
  // A data set's names may be of another encoding.
  const auto latin = nlohmann::json::parse(to_json(evaluation, {"caf\xe9", "dog", "bird"}));
  EXPECT_EQ(latin["classes"][0].at("name"), "caf\xef\xbf\xbd");
}

}  // namespace
}  // namespace uniq::metrics
