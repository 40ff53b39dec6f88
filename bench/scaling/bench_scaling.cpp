// How packed models scale: threads against one thread, a batch against one picture, sessions side
// by side against one alone, and the memory of a process that runs one. In turns; the least time
// and the median.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "uniq/base/cpu.h"
#include "uniq/base/error.h"
#include "uniq/cli/bench_report.h"
#include "uniq/cli/json_text.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"
#include "uniq/runtime/session.h"

namespace uniq::bench {
namespace {

using runtime::Network;
using runtime::Session;

constexpr char kAbout[] =
    "Times packed models: some threads against one, a batch of 8 (per picture) against one "
    "picture,\n"
    "and as many sessions of one thread side by side against one alone; or measures memory.";
constexpr char kExamples[] =
    "examples:\n"
    "  bench_scaling w8a8.uniq w2a2.uniq\n"
    "  bench_scaling w2a2.uniq --threads 4 --rounds 10 --json\n"
    "  bench_scaling w2a2.uniq --memory\n"
    "bench/scaling.sh makes models, calls this and says what the goals are.\n";
constexpr std::size_t kBatch = 8;

struct Options {
  std::vector<std::string> models;
  int threads = 2;
  int rounds = 6;
  double seconds = 0.2;
  bool json = false;
  bool memory = false;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A session and pictures for it.
class Runner {
 public:
  Runner(const std::shared_ptr<const Network>& network, int threads, std::size_t count)
      : session_(network, {.threads = threads}),
        logits_(count * static_cast<std::size_t>(network->classes())) {
    const std::vector<std::uint8_t> picture = cli::random_picture(network->picture_bytes());
    for (std::size_t i = 0; i < count; ++i)
      pictures_.insert(pictures_.end(), picture.begin(), picture.end());
  }
  void run() { session_.run(pictures_, logits_); }
  const std::vector<float>& logits() const { return logits_; }

  /// Runs until `end`; the seconds of each call are added to `times`.
  void run_until(double end, std::vector<double>& times) {
    run();
    do {
      const double start = now();
      run();
      times.push_back(now() - start);
    } while (now() < end);
  }

 private:
  Session session_;
  std::vector<std::uint8_t> pictures_;
  std::vector<float> logits_;
};

/// Milliseconds of a call.
struct Times {
  cli::Latency one, threads, batch, beside;
};

/// What is compared must be the same: the logits of each variant's first picture.
void check(const std::string& model, const Runner& one, const Runner& other, std::size_t count) {
  const std::size_t classes = one.logits().size();
  for (std::size_t i = 0; i < count * classes; ++i)
    if (other.logits()[i] != one.logits()[i % classes])
      throw Error({.what = "logits depend on threads or batch",
                   .where = model,
                   .got = std::to_string(other.logits()[i]),
                   .expected = std::to_string(one.logits()[i % classes])});
}

Times measure(const std::string& model, const std::shared_ptr<const Network>& network,
              const Options& options) {
  Runner one(network, 1, 1);
  Runner threads(network, options.threads, 1);
  Runner batch(network, options.threads, kBatch);
  std::vector<std::unique_ptr<Runner>> side_by_side(static_cast<std::size_t>(options.threads));
  for (std::unique_ptr<Runner>& runner : side_by_side)
    runner = std::make_unique<Runner>(network, 1, 1);
  std::vector<double> one_times, thread_times, batch_times;
  std::vector<std::vector<double>> beside_times(side_by_side.size());
  for (int round = 0; round < options.rounds; ++round) {
    one.run_until(now() + options.seconds, one_times);
    threads.run_until(now() + options.seconds, thread_times);
    batch.run_until(now() + options.seconds, batch_times);
    std::barrier<> start(options.threads);
    std::vector<std::thread> users;
    for (std::size_t i = 0; i < side_by_side.size(); ++i)
      users.emplace_back([&, i] {
        start.arrive_and_wait();
        side_by_side[i]->run_until(now() + options.seconds, beside_times[i]);
      });
    for (std::thread& user : users) user.join();
  }
  check(model, one, threads, 1);
  check(model, one, batch, kBatch);
  Times times = {
      cli::latency_of(one_times), cli::latency_of(thread_times), cli::latency_of(batch_times), {}};
  for (std::size_t i = 0; i < side_by_side.size(); ++i) {
    check(model, one, *side_by_side[i], 1);
    // The slowest session's.
    const cli::Latency latency = cli::latency_of(beside_times[i]);
    times.beside.min_ms = std::max(times.beside.min_ms, latency.min_ms);
    times.beside.median_ms = std::max(times.beside.median_ms, latency.median_ms);
  }
  return times;
}

/// Megabytes (2^20 bytes) that this process had at most.
double peak_megabytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

int print_memory(const Options& options) {
  for (const std::string& model : options.models) {
    Runner runner(runtime::load_network(model), options.threads, 1);
    for (int i = 0; i < 3; ++i) runner.run();
  }
  std::printf("%.1f\n", peak_megabytes());
  return 0;
}

struct Ratios {
  double of_least, of_medians;
};
Ratios operator/(const cli::Latency& a, const cli::Latency& b) {
  return {a.min_ms / b.min_ms, a.median_ms / b.median_ms};
}

struct Row {
  std::string model;
  Times times;
  Ratios speed_up() const { return times.one / times.threads; }
  Ratios batch() const {
    const Ratios whole = times.batch / times.threads;
    return {whole.of_least / kBatch, whole.of_medians / kBatch};
  }
  Ratios beside() const { return times.beside / times.one; }
};

std::string text_of(const Options& options, const std::vector<Row>& rows, kernels::Isa isa) {
  constexpr auto kRight = cli::Table::Align::right;
  const std::string threads = std::to_string(options.threads);
  cli::Table table({{"model"},
                    {"1 thread, ms", kRight},
                    {threads + " threads, ms", kRight},
                    {"times faster", kRight},
                    {"batch 8 / 1", kRight},
                    {"side by side / alone", kRight}});
  const auto text = [](const Ratios& ratios) {
    return cli::fixed(ratios.of_least, 3) + " (" + cli::fixed(ratios.of_medians, 3) + ")";
  };
  for (const Row& row : rows)
    table.add({cli::printable(row.model), cli::fixed(row.times.one.min_ms, 3),
               cli::fixed(row.times.threads.min_ms, 3), text(row.speed_up()), text(row.batch()),
               text(row.beside())});
  return cpu_info().model + ", " + std::string(kernels::isa_name(isa)) + ", " +
         std::to_string(options.rounds) +
         " rounds; ratios of the least times, of the medians in brackets\n\n" + table.text();
}

nlohmann::ordered_json json_of(const std::vector<Row>& rows, kernels::Isa isa) {
  const auto json = [](const Ratios& ratios) {
    return nlohmann::ordered_json{{"min", ratios.of_least}, {"median", ratios.of_medians}};
  };
  nlohmann::ordered_json all = {{"cpu", cpu_info().model},
                                {"isa", kernels::isa_name(isa)},
                                {"rows", nlohmann::ordered_json::array()}};
  for (const Row& row : rows)
    all["rows"].push_back({{"model", row.model},
                           {"one_thread_ms", row.times.one.min_ms},
                           {"threads_ms", row.times.threads.min_ms},
                           {"times_faster", json(row.speed_up())},
                           {"batch_8", json(row.batch())},
                           {"side_by_side", json(row.beside())}});
  return all;
}

int run(const Options& options) {
  if (options.memory) return print_memory(options);
  std::vector<Row> rows;
  for (const std::string& model : options.models)
    rows.push_back({model, measure(model, runtime::load_network(model), options)});
  const kernels::Isa isa = kernels::chosen_isa();
  const std::string text =
      options.json ? cli::json_text(json_of(rows, isa)) : text_of(options, rows, isa);
  std::fputs(text.c_str(), stdout);
  return 0;
}

int parse_and_run(int argc, char** argv) {
  Options options;
  CLI::App app(kAbout);
  app.footer(kExamples);
  app.add_option("model", options.models, "packed models")->required();
  app.add_option("--threads", options.threads, "compared with one (default 2)")
      ->check(CLI::Range(2, kMaxThreads));
  app.add_option("--rounds", options.rounds, "turns of each (default 6)")
      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds, "of a turn (default 0.2)")
      ->check(CLI::PositiveNumber);
  app.add_flag("--json", options.json, "for machines");
  app.add_flag("--memory", options.memory,
               "instead: the most memory, in MB, that this process had when it ran the model");
  CLI11_PARSE(app, argc, argv);
  return run(options);
}

}  // namespace
}  // namespace uniq::bench

int main(int argc, char** argv) {
  try {
    return uniq::bench::parse_and_run(argc, argv);
  } catch (const uniq::UsageError& error) {
    std::fprintf(stderr, "bench_scaling: error: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_scaling: error: %s\n", error.what());
    return 1;
  }
}
