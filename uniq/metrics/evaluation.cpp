#include "uniq/metrics/evaluation.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "uniq/base/error.h"

namespace uniq::metrics {
namespace {

/// How many classes come before the true one.
std::int64_t rank_of(std::span<const float> logits, std::size_t label) {
  std::int64_t rank = 0;
  for (std::size_t i = 0; i < logits.size(); ++i)
    rank += logits[i] > logits[label] || (logits[i] == logits[label] && i < label);
  return rank;
}

/// -log(softmax(logits)[label]). Less the largest logit no exponential overflows, and one is 1.
double cross_entropy(std::span<const float> logits, std::size_t label) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return std::log(sum) + largest - static_cast<double>(logits[label]);
}

}  // namespace

double percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

Evaluator::Evaluator(std::int64_t classes, std::string name)
    : name_(std::move(name)), classes_(static_cast<std::size_t>(classes)) {}

void Evaluator::check(std::span<const float> logits, std::int64_t label) const {
  const std::string where = name_ + ", picture " + std::to_string(pictures_);
  if (logits.size() != classes_.size())
    throw Error({.what = "evaluation met another number of logits than of classes",
                 .where = where,
                 .got = std::to_string(logits.size()),
                 .expected = std::to_string(classes_.size())});
  if (label < 0 || label >= std::ssize(classes_))
    throw Error({.what = "evaluation met a label out of range",
                 .where = where,
                 .got = std::to_string(label),
                 .expected = "0 to " + std::to_string(std::ssize(classes_) - 1)});
  if (!std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); }))
    throw Error({.what = "evaluation met NaN or Inf",
                 .where = where,
                 .expected = "finite logits",
                 .remedy = "to inspect the network's file"});
}

void Evaluator::add(std::span<const float> logits, std::int64_t label) {
  check(logits, label);
  const auto own = static_cast<std::size_t>(label);
  const std::int64_t rank = rank_of(logits, own);
  classes_[own].pictures += 1;
  classes_[own].correct += rank == 0;
  pictures_ += 1;
  first_ += rank == 0;
  top_five_ += rank < 5;
  loss_ += cross_entropy(logits, own);
}

Evaluation Evaluator::result() const {
  return {.pictures = pictures_,
          .loss = loss_ / static_cast<double>(std::max<std::int64_t>(pictures_, 1)),
          .top1 = percent(first_, pictures_),
          .top5 = percent(top_five_, pictures_),
          .classes = classes_};
}

std::string to_json(const Evaluation& evaluation, const std::vector<std::string>& class_names) {
  nlohmann::ordered_json json;
  json["pictures"] = evaluation.pictures;
  json["loss"] = evaluation.loss;
  json["top1"] = evaluation.top1;
  json["top5"] = evaluation.top5;
  json["classes"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < evaluation.classes.size(); ++i) {
    const Evaluation::PerClass& own = evaluation.classes[i];
    json["classes"].push_back({{"name", i < class_names.size() ? class_names[i] : ""},
                               {"pictures", own.pictures},
                               {"top1", percent(own.correct, own.pictures)}});
  }
  // Names of classes come from files, which need not be UTF-8.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace uniq::metrics
