#include <algorithm>
#include <numeric>

#include "uniq/base/error.h"
#include "uniq/data/loader.h"

namespace uniq::data {
namespace {

using Indices = std::vector<std::int64_t>;

std::vector<Indices> by_label(const Dataset& dataset) {
  std::vector<Indices> groups(dataset.classes.size());
  for (std::size_t i = 0; i < dataset.labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(dataset.labels[i]);
    if (label >= groups.size()) {
      throw Error({"label out of range", "data set", std::to_string(dataset.labels[i]),
                   "below " + std::to_string(groups.size()), ""});
    }
    groups[label].push_back(static_cast<std::int64_t>(i));
  }
  return groups;
}

// How many of each group make `held_out` of all: the whole part of each one's share, and one more
// where the rest of the division is largest.
Indices shares(const std::vector<Indices>& groups, std::int64_t count, std::int64_t held_out) {
  Indices taken;
  Indices rests;
  for (const Indices& group : groups) {
    const std::int64_t product = held_out * static_cast<std::int64_t>(group.size());
    taken.push_back(product / count);
    rests.push_back(product % count);
  }
  std::vector<std::size_t> by_rest(groups.size());
  std::iota(by_rest.begin(), by_rest.end(), 0);
  std::ranges::stable_sort(by_rest, [&](auto a, auto b) { return rests[a] > rests[b]; });
  const std::int64_t left = held_out - std::accumulate(taken.begin(), taken.end(), std::int64_t{0});
  for (std::size_t i = 0; i < static_cast<std::size_t>(left); ++i) ++taken[by_rest[i]];
  return taken;
}

}  // namespace

HoldOut hold_out(const Dataset& dataset, std::int64_t held_out, std::uint64_t seed) {
  const std::int64_t count = dataset.count();
  if (held_out < 0 || held_out >= count) {
    throw UsageError(
        ErrorText{"cannot hold out so many pictures", "data.validation", std::to_string(held_out),
                  "0 to " + std::to_string(count - 1) + " of " + std::to_string(count), ""});
  }
  std::vector<Indices> groups = by_label(dataset);
  const Indices taken = shares(groups, count, held_out);
  HoldOut result;
  for (std::size_t label = 0; label < groups.size(); ++label) {
    Random random(seed, Stream::hold_out, {label});
    shuffle(std::span(groups[label]), random);
    const auto middle = groups[label].begin() + taken[label];
    result.validation.insert(result.validation.end(), groups[label].begin(), middle);
    result.training.insert(result.training.end(), middle, groups[label].end());
  }
  std::ranges::sort(result.validation);
  std::ranges::sort(result.training);
  return result;
}

std::vector<std::int64_t> all_indices(const Dataset& dataset) {
  Indices indices(static_cast<std::size_t>(dataset.count()));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

}  // namespace uniq::data
