#include "uniq/cli/tuned_network.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "uniq/cli/console.h"
#include "uniq/cli/progress_display.h"
#include "uniq/format/packed_file.h"
#include "uniq/metrics/progress.h"
#include "uniq/runtime/session.h"

namespace uniq::cli {

std::shared_ptr<const runtime::Network> load_tuned_network(const std::string& file, int threads,
                                                           const runtime::Without& without) {
  return make_tuned_network(format::read_packed(file), threads, without);
}

std::shared_ptr<const runtime::Network> make_tuned_network(format::PackedModel model, int threads,
                                                           const runtime::Without& without) {
  runtime::NetworkOptions options{.isa = kernels::chosen_isa(), .without = without};
  if (!without.tuning) {
    runtime::TunedFile found =
        runtime::read_tuned(runtime::tuned_here(*options.isa, runtime::threads_of({threads})));
    if (!found.warning.empty()) report_warning(found.warning);
    options.tuned = std::move(found.tuned);
  }
  return std::make_shared<const runtime::Network>(std::move(model), options);
}

TunedNetwork tune_network(const format::PackedModel& model, int threads,
                          const runtime::Without& without, bool quiet) {
  constexpr std::int64_t kSteps = 100;
  const kernels::Isa isa = kernels::chosen_isa();
  const int count = runtime::threads_of({threads});
  ProgressDisplay display(standard_error_settings(quiet));
  metrics::Progress progress(kSteps);
  std::int64_t shown = 0;
  const auto show = [&](double done) {
    const auto now = std::min(kSteps, static_cast<std::int64_t>(done * kSteps));
    progress.advance(now - shown);
    shown = now;
    display.progress(progress, "tuning", "");
  };
  TunedNetwork tuned{.report = runtime::tune(model, {.isa = isa, .without = without}, count, show),
                     .file = {}};
  display.clear();
  tuned.file = runtime::write_tuned(tuned.report.tuned, runtime::tuned_here(isa, count)).string();
  return tuned;
}

}  // namespace uniq::cli
