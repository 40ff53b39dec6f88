// Each convolution kernel's rate in multiply-accumulates (MAC) per cycle of one core, beside what
// its instructions could do at most, measured on the same core. Results are compared with the
// scalar kernel's, bit for bit, before anything is timed.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/kernels/cases.h"
#include "bench/kernels/clock.h"
#include "bench/kernels/peaks.h"
#include "uniq/base/cpu.h"
#include "uniq/base/error.h"
#include "uniq/cli/json_text.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"

namespace uniq::bench {
namespace {

using cli::fixed;
using kernels::ConvKernel;
using kernels::Isa;

constexpr char kAbout[] =
    "Times each convolution kernel that this CPU has, one thread: MAC per cycle beside the most "
    "that\n"
    "its instructions reach on registers. The cycle is measured, by a chain of additions. "
    "UNIQ_ISA\n"
    "holds it to an instruction set.";
constexpr char kExamples[] =
    "examples:\n"
    "  bench_kernels                                   all kernels and shapes\n"
    "  bench_kernels --kernel winograd --bits w4a4,w2a2\n"
    "  bench_kernels --shape 3x3 --json > rates.json\n"
    "  UNIQ_ISA=avx2 bench_kernels --kernel avx2.table\n"
    "  bench_kernels --kernel scalar --shape dw --rounds 1\n";

struct Options {
  std::vector<std::string> kernels, shapes, bits;
  int rounds = 5;
  double milliseconds = 10.0;
  bool json = false;
};

/// A kernel on a shape, and what was measured of it.
struct Row {
  const ConvKernel* kernel;
  std::string widths;
  NamedShape shape;
  std::unique_ptr<KernelRun> run = nullptr;
  Cycles sums = {};
  Cycles whole = {};
};

constexpr std::int64_t kPeakRounds = 5'000;
struct Peak {
  const PeakLoop* loop;
  Cycles cycles = {};
  double macs_per_cycle() const {
    return static_cast<double>(kPeakRounds * kSteps) * loop->macs / cycles.least();
  }
};

bool names(const std::vector<std::string>& wanted, const std::string& name) {
  return wanted.empty() || std::ranges::any_of(wanted, [&](const std::string& text) {
           return name.find(text) != std::string::npos;
         });
}

/// The scalar kernel only by name: it takes as long as all others together.
bool is_timed(const ConvKernel& kernel, Isa isa, const Options& options) {
  if (kernel.isa == Isa::scalar && options.kernels.empty()) return false;
  return kernels::includes(isa, kernel.isa) && names(options.kernels, kernel.name);
}

std::vector<Row> make_rows(const Options& options, Isa isa) {
  const std::vector<std::string> all = {"w8a8", "w4a4", "w2a2", "w1a2", "w1a1"};
  std::vector<Row> rows;
  for (const NamedShape& shape : named_shapes()) {
    if (!names(options.shapes, shape.name)) continue;
    std::map<std::string, std::unique_ptr<const Problem>> problems;
    for (const ConvKernel& kernel : kernels::conv_kernels()) {
      if (!is_timed(kernel, isa, options)) continue;
      for (const std::string& bits : options.bits.empty() ? all : options.bits) {
        const Widths widths = parse_widths(bits);
        if (!kernel.supports(code_conv(shape, widths))) continue;
        auto& problem = problems[bits];
        if (problem == nullptr) problem = std::make_unique<const Problem>(shape, widths);
        rows.push_back({.kernel = &kernel,
                        .widths = bits,
                        .shape = shape,
                        .run = std::make_unique<KernelRun>(*problem, kernel, isa)});
        rows.back().run->check(*problem);
        if (options.bits.empty()) break;
      }
    }
  }
  if (rows.empty())
    throw UsageError(
        {.what = "no kernel to time",
         .where = "--kernel, --shape, --bits",
         .got = "a choice that fits none",
         .expected = "one that some kernel of " + std::string(kernels::isa_name(isa)) + " supports",
         .remedy = "bench_kernels --help"});
  // Kernel by kernel, as the list has them.
  std::ranges::stable_sort(rows, {}, &Row::kernel);
  return rows;
}

std::vector<Peak> make_peaks(const std::vector<Row>& rows) {
  std::vector<Peak> peaks;
  for (const PeakLoop& loop : peak_loops()) {
    const bool is_needed = std::ranges::any_of(
        rows, [&](const Row& row) { return bound_of(row.kernel->name).loop == &loop; });
    if (is_needed) peaks.push_back({.loop = &loop});
  }
  return peaks;
}

/// In turns: what disturbs a moment disturbs a turn of one, not all of them.
void measure(const Options& options, std::vector<Row>& rows, std::vector<Peak>& peaks) {
  const double seconds = options.milliseconds * 1e-3;
  for (int round = 0; round < options.rounds; ++round) {
    for (Peak& peak : peaks) peak.cycles.take_turn([&] { peak.loop->run(kPeakRounds); }, seconds);
    for (Row& row : rows) {
      row.sums.take_turn([&] { row.run->run_sums(); }, seconds);
      row.whole.take_turn([&] { row.run->run_whole(); }, seconds);
    }
  }
}

/// MAC per cycle by which the kernel is chosen (uniq/kernels/rates.h).
double expected_of(const Row& row) {
  const kernels::CodeConv conv = code_conv(row.shape, parse_widths(row.widths));
  return static_cast<double>(row.shape.macs()) / row.kernel->cycles(conv, cpu_info());
}

/// MAC per cycle that the kernel's instructions allow; 0: unknown.
double peak_of(const Row& row, const std::vector<Peak>& peaks) {
  const Bound bound = bound_of(row.kernel->name);
  for (const Peak& peak : peaks)
    if (peak.loop == bound.loop) return bound.factor * peak.macs_per_cycle();
  return 0.0;
}

struct Rates {
  double best, median;  ///< MAC per cycle
};
Rates rates_of(const Row& row, const Cycles& cycles) {
  const auto macs = static_cast<double>(row.shape.macs());
  return {macs / cycles.least(), macs / cycles.median()};
}

double clock_of(const std::vector<Row>& rows) {
  double clock = 0.0;
  for (const Row& row : rows) clock = std::max({clock, row.sums.clock(), row.whole.clock()});
  return clock;
}

std::string text_of(const std::vector<Row>& rows, const std::vector<Peak>& peaks, Isa isa) {
  constexpr auto kRight = cli::Table::Align::right;
  std::string text = cpu_info().model + ", " + std::string(kernels::isa_name(isa)) + ", " +
                     fixed(clock_of(rows) * 1e-9, 2) + " GHz. MAC per cycle, one thread:\n\n";
  cli::Table bounds({{"instructions, on registers"}, {"peak", kRight}});
  for (const Peak& peak : peaks)
    bounds.add({peak.loop->instructions, fixed(peak.macs_per_cycle(), 0)});
  cli::Table table({{"kernel"},
                    {"shape"},
                    {"bits"},
                    {"peak", kRight},
                    {"expected", kRight},
                    {"sums", kRight},
                    {"median", kRight},
                    {"of peak", kRight},
                    {"to codes", kRight},
                    {"median", kRight}});
  for (const Row& row : rows) {
    const double peak = peak_of(row, peaks);
    const Rates sums = rates_of(row, row.sums);
    const Rates whole = rates_of(row, row.whole);
    table.add({row.kernel->name, row.shape.name, row.widths, peak > 0.0 ? fixed(peak, 0) : "",
               fixed(expected_of(row), 1), fixed(sums.best, 1), fixed(sums.median, 1),
               peak > 0.0 ? fixed(100.0 * sums.best / peak, 0) + " %" : "", fixed(whole.best, 1),
               fixed(whole.median, 1)});
  }
  return text + bounds.text() + "\n" + table.text();
}

nlohmann::ordered_json rates_json(const Rates& rates) {
  return {{"best", rates.best}, {"median", rates.median}};
}

nlohmann::ordered_json json_of(const std::vector<Row>& rows, const std::vector<Peak>& peaks,
                               Isa isa) {
  nlohmann::ordered_json json = {{"cpu", cpu_info().model},
                                 {"isa", kernels::isa_name(isa)},
                                 {"clock_hz", clock_of(rows)},
                                 {"peaks", nlohmann::ordered_json::object()},
                                 {"rows", nlohmann::ordered_json::array()}};
  for (const Peak& peak : peaks) json["peaks"][peak.loop->instructions] = peak.macs_per_cycle();
  for (const Row& row : rows) {
    const double peak = peak_of(row, peaks);
    json["rows"].push_back({{"kernel", row.kernel->name},
                            {"shape", row.shape.name},
                            {"bits", row.widths},
                            {"macs", row.shape.macs()},
                            {"peak", peak > 0.0 ? nlohmann::ordered_json(peak) : nullptr},
                            {"expected", expected_of(row)},
                            {"sums", rates_json(rates_of(row, row.sums))},
                            {"to_codes", rates_json(rates_of(row, row.whole))}});
  }
  return json;
}

int run(const Options& options) {
  const Isa isa = kernels::chosen_isa();
  std::vector<Row> rows = make_rows(options, isa);
  std::vector<Peak> peaks = make_peaks(rows);
  measure(options, rows, peaks);
  const std::string text =
      options.json ? cli::json_text(json_of(rows, peaks, isa)) : text_of(rows, peaks, isa);
  std::fputs(text.c_str(), stdout);
  return 0;
}

int parse_and_run(int argc, char** argv) {
  Options options;
  std::string shapes;
  for (const NamedShape& shape : named_shapes()) shapes += std::string(" ") + shape.name;
  CLI::App app(kAbout);
  app.footer(kExamples);
  app.add_option("--kernel", options.kernels, "those whose name contains this (a list: a,b)")
      ->delimiter(',');
  app.add_option("--shape", options.shapes, "those whose name contains this, of:" + shapes)
      ->delimiter(',');
  app.add_option("--bits", options.bits,
                 "all of these that a kernel supports (default: the first it does of w8a8, w4a4, "
                 "w2a2, w1a2, w1a1)")
      ->delimiter(',');
  app.add_option("--rounds", options.rounds, "turns of each (default 5)")
      ->check(CLI::PositiveNumber);
  app.add_option("--ms", options.milliseconds, "of a turn (default 10)")
      ->check(CLI::PositiveNumber);
  app.add_flag("--json", options.json, "for machines");
  CLI11_PARSE(app, argc, argv);
  return run(options);
}

}  // namespace
}  // namespace uniq::bench

int main(int argc, char** argv) {
  try {
    return uniq::bench::parse_and_run(argc, argv);
  } catch (const uniq::UsageError& error) {
    std::fprintf(stderr, "bench_kernels: error: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_kernels: error: %s\n", error.what());
    return 1;
  }
}
