#include "uniq/runtime/without.h"

#include <algorithm>
#include <string_view>

#include "uniq/base/error.h"
#include "uniq/base/text.h"

namespace uniq::runtime {
namespace {

struct Trick {
  const char* name;
  bool Without::*member;
};
constexpr Trick kTricks[] = {
    {"fusing", &Without::fusing},         {"chains", &Without::chains},
    {"thresholds", &Without::thresholds}, {"reciprocal", &Without::reciprocal},
    {"folding", &Without::folding},       {"layouts", &Without::layouts},
    {"tuning", &Without::tuning}};

/// "avx512_vnni.popcount2": "popcount"; "avx2.winograd_wide": "winograd".
std::string_view way_of(const kernels::ConvKernel& kernel) {
  std::string_view way = kernel.name;
  way.remove_prefix(way.find('.') + 1);
  return way.substr(0, way.find_first_of("0123456789_"));
}

}  // namespace

std::vector<std::string> trick_names() {
  std::vector<std::string> names;
  for (const Trick& trick : kTricks) names.emplace_back(trick.name);
  // The last computes what no other can.
  const auto all = kernels::conv_kernels();
  const auto optional = all.first(all.size() - 1);
  for (const kernels::ConvKernel& kernel : optional)
    if (std::ranges::find(names, way_of(kernel)) == names.end()) names.emplace_back(way_of(kernel));
  for (const kernels::ConvKernel& kernel : optional) names.emplace_back(kernel.name);
  return names;
}

Without parse_without(const std::vector<std::string>& names) {
  const std::vector<std::string> known = trick_names();
  Without without;
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) == known.end())
      throw UsageError({.what = "unknown trick",
                        .where = "--without",
                        .got = quoted_name(name),
                        .expected = "some of " + join(known),
                        .remedy = nearest_name(name, known)});
    const auto* const trick =
        std::ranges::find_if(kTricks, [&](const Trick& own) { return own.name == name; });
    if (trick != std::end(kTricks)) {
      without.*(trick->member) = true;
    } else {
      without.kernels.push_back(name);
    }
  }
  return without;
}

bool leaves_out(const Without& without, const kernels::ConvKernel& kernel) {
  return std::ranges::any_of(without.kernels, [&](const std::string& name) {
    return name == kernel.name || name == way_of(kernel);
  });
}

}  // namespace uniq::runtime
