#include "uniq/runtime/choice.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <limits>
#include <utility>

namespace uniq::runtime {
namespace {

using kernels::CodeLayout;
using kernels::ConvCandidate;

constexpr double kNever = std::numeric_limits<double>::infinity();

/// Layouts that candidates want, one for all that can share; the first 16 different ones.
class Layouts {
 public:
  /// Bit of the layout; 0 where there are too many.
  unsigned bit_of(const CodeLayout& layout) {
    constexpr std::size_t kMost = 16;
    const auto same =
        std::ranges::find_if(all_, [&](const CodeLayout& l) { return can_share(l, layout); });
    if (same == all_.end() && all_.size() == kMost) return 0;
    const auto index = same - all_.begin();
    if (same == all_.end()) all_.push_back(layout);
    return 1U << index;
  }
  unsigned sets() const { return 1U << all_.size(); }

 private:
  std::vector<CodeLayout> all_;
};

/// A candidate that may be taken.
struct Option {
  std::size_t candidate;
  double cycles;
  unsigned layout;
};

std::vector<Option> options_of(const ConvChoice& choice, Layouts& layouts) {
  std::vector<Option> options;
  for (std::size_t i = 0; i < choice.candidates.size(); ++i) {
    const ConvCandidate& own = choice.candidates[i];
    if (!own.refusal.empty() || (choice.is_tuned && i != choice.taken)) continue;
    options.push_back({i, own.cycles, layouts.bit_of(own.kernel->input_layout(choice.conv))});
  }
  return options;
}

/// The cheapest that reads one of the layouts; null where none does.
const Option* cheapest(const std::vector<Option>& options, unsigned layouts) {
  const Option* best = nullptr;
  for (const Option& option : options)
    if ((option.layout & layouts) != 0 && (best == nullptr || option.cycles < best->cycles))
      best = &option;
  return best;
}

void take_tuned(const TunedConv& tuned, ConvChoice& choice) {
  choice.measured.resize(choice.candidates.size());
  for (std::size_t i = 0; i < choice.candidates.size(); ++i) {
    const ConvCandidate& own = choice.candidates[i];
    const auto time = tuned.ms.find(own.kernel->name);
    if (time != tuned.ms.end()) choice.measured[i] = time->second;
    if (!own.refusal.empty() || own.kernel->name != tuned.kernel) continue;
    choice.taken = i;
    choice.is_tuned = true;
  }
}

/// "1.31 times the cycles".
std::string times_text(double times, const char* of) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.2f times %s", times, of);
  return text.data();
}

}  // namespace

ConvChoice make_choice(const kernels::CodeConv& conv, kernels::Isa isa, const CpuInfo& cpu,
                       const Without& without, const Tuned* tuned) {
  ConvChoice choice{.conv = conv, .candidates = kernels::conv_candidates(conv, isa, cpu)};
  for (ConvCandidate& own : choice.candidates)
    if (own.refusal.empty() && leaves_out(without, *own.kernel)) own.refusal = "left out";
  // Not that of std::ranges: its result is none to clang 14, which builds the fuzzers.
  std::stable_partition(choice.candidates.begin(), choice.candidates.end(),
                        [](const ConvCandidate& own) { return own.refusal.empty(); });
  if (tuned == nullptr) return choice;
  const auto found = tuned->find(conv_key(conv));
  if (found != tuned->end()) take_tuned(found->second, choice);
  return choice;
}

std::string verdict(const ConvChoice& choice, std::size_t candidate) {
  const ConvCandidate& own = choice.candidates[candidate];
  const ConvCandidate& taken = choice.candidates[choice.taken];
  if (!own.refusal.empty()) return own.refusal;
  const bool is_timed = choice.is_tuned && !choice.measured.empty();
  const double time = is_timed ? choice.measured[choice.taken] : 0.0;
  if (candidate == choice.taken) return choice.is_tuned ? "taken, as tuned" : "taken";
  if (time > 0.0 && choice.measured[candidate] > 0.0) {
    const double times = choice.measured[candidate] / time;
    return times_text(times, "the time") + (times < 1.0 ? ", not faster in the network" : "");
  }
  const std::string times = times_text(own.cycles / taken.cycles, "the cycles");
  if (choice.is_tuned) return times + ", not timed";
  return own.cycles < taken.cycles ? times + ", but another layout" : times;
}

void choose_together(std::span<ConvChoice* const> readers, double layout_cycles) {
  Layouts layouts;
  std::vector<std::vector<Option>> options;
  options.reserve(readers.size());
  for (const ConvChoice* reader : readers) options.push_back(options_of(*reader, layouts));
  double least = kNever;
  unsigned best = 0;
  for (unsigned set = 1; set < layouts.sets(); ++set) {
    double cycles = layout_cycles * (std::popcount(set) - 1);
    for (const std::vector<Option>& own : options) {
      const Option* const option = cheapest(own, set);
      cycles += option == nullptr ? kNever : option->cycles;
    }
    if (cycles >= least) continue;
    least = cycles;
    best = set;
  }
  for (std::size_t i = 0; i < readers.size(); ++i) {
    const Option* const option = cheapest(options[i], best);
    if (option != nullptr) readers[i]->taken = option->candidate;
  }
}

double layout_cycles(std::int64_t codes, const kernels::Rates& rates) {
  return static_cast<double>(codes) / rates.layout_codes;
}

}  // namespace uniq::runtime
