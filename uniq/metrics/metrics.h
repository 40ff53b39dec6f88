// What a training run reports: rows in metrics.csv and metrics.jsonl, scalars in a TensorBoard
// event file. Needs no LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace uniq::metrics {

/// One row; absent values are left empty in the CSV and out of the JSON.
struct Row {
  std::int64_t epoch = 0;                ///< 0-based
  std::int64_t step = 0;                 ///< optimizer steps since the start of the run
  std::string phase;                     ///< "train", "validation", "test", "calibration"
  std::map<std::string, double> values;  ///< names out of `columns`
};

/// Lengths of the files so far, in bytes: kept in a checkpoint, so that a resumed run cuts off what
/// came after it and every row stands there once.
struct Position {
  std::int64_t csv = 0;
  std::int64_t jsonl = 0;
  std::int64_t tensorboard = 0;
};

inline constexpr const char* kCsvFile = "metrics.csv";
inline constexpr const char* kJsonFile = "metrics.jsonl";
inline constexpr const char* kEventFile = "events.out.tfevents.0000000000.uniqnn";

class Writer {
 public:
  /// Begins new files in `folder` (which exists), or, with `resume`, goes on in those there: cuts
  /// them to `position`; throws Error if one is shorter. `columns`: the CSV's value columns in
  /// order. The TensorBoard file (kEventFile, one for the whole run) is written only where
  /// `tensorboard`. `clock` gives the events' time in seconds since 1970, the one thing that two
  /// equal runs do not share; empty: the system's.
  Writer(const std::filesystem::path& folder, std::vector<std::string> columns, bool tensorboard,
         const Position* resume = nullptr, std::function<double()> clock = {});
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Appends to every file; throws Error when the disk is full, and then no file holds a part of
  /// the row. Values that are not finite are `nan` and `inf` in the CSV, null in the JSON.
  void write(const Row& row);

  /// Flushes and fsyncs, then tells the lengths.
  Position sync();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace uniq::metrics
