// How well a network classifies a data set.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace uniq::metrics {

struct Evaluation {
  std::int64_t pictures = 0;
  double loss = 0.0;  ///< mean cross-entropy
  double top1 = 0.0;  ///< percent
  double top5 = 0.0;  ///< percent; 100 with five classes or fewer
  struct PerClass {
    std::int64_t pictures = 0;
    std::int64_t correct = 0;
    bool operator==(const PerClass&) const = default;
  };
  std::vector<PerClass> classes;  ///< by label
};

/// 100 * part / whole; 0 of nothing.
double percent(std::int64_t part, std::int64_t whole);

/// {"pictures":..., "loss":..., "top1":..., "top5":..., "classes": [{"name", "pictures", "top1"}]}.
std::string to_json(const Evaluation& evaluation, const std::vector<std::string>& class_names);

/// Collects an evaluation picture by picture.
class Evaluator {
 public:
  /// `name`: what is evaluated, for errors.
  Evaluator(std::int64_t classes, std::string name);

  /// `logits`: one per class; `label`: the true class, 0..classes-1. Of equal logits the lower
  /// class ranks first, as in argmax: a network that tells nothing apart is not always right.
  /// Throws Error, which says which picture it was, where a logit is NaN or infinite, and for
  /// logits or a label that do not fit the classes.
  void add(std::span<const float> logits, std::int64_t label);

  Evaluation result() const;

 private:
  void check(std::span<const float> logits, std::int64_t label) const;

  std::string name_;
  std::vector<Evaluation::PerClass> classes_;
  std::int64_t pictures_ = 0;
  std::int64_t first_ = 0;     ///< pictures whose true class ranks first
  std::int64_t top_five_ = 0;  ///< among the first five
  double loss_ = 0.0;          ///< sum
};

}  // namespace uniq::metrics
