// What a training run reports: rows in metrics.csv and metrics.jsonl, scalars in a TensorBoard
// event file. Needs no LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace uniq::metrics {

/// One row; absent values are left empty in the CSV and out of the JSON.
struct Row {
  std::int64_t epoch = 0;  ///< 0-based
  std::int64_t step = 0;   ///< optimizer steps since the start of the run
  std::string phase;       ///< "train", "validation", "test", "calibration"
  std::map<std::string, double> values;  ///< names out of `columns`
};

/// Lengths of the files so far, in bytes: kept in a checkpoint, so that a resumed run cuts off what
/// came after it and every row stands there once.
struct Position {
  std::int64_t csv = 0;
  std::int64_t jsonl = 0;
  std::int64_t tensorboard = 0;
};

class Writer {
 public:
  /// Begins new files in `folder` (which exists), or, with `resume`, goes on in those there: cuts
  /// them to `position`; throws Error if one is shorter. `columns`: the CSV's value columns in order.
  /// The TensorBoard file (one name for the whole run: events.out.tfevents.<fixed>.uniqnn) is
  /// written only where `tensorboard`.
  Writer(const std::filesystem::path& folder, std::vector<std::string> columns, bool tensorboard,
         const Position* resume = nullptr);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Appends to every file; throws Error when the disk is full.
  void write(const Row& row);

  /// Flushes and fsyncs, then tells the lengths.
  Position sync();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace uniq::metrics
