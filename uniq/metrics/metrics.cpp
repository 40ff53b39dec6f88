#include "uniq/metrics/metrics.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/text.h"
#include "uniq/metrics/event.h"
#include "uniq/metrics/log_file.h"
#include "uniq/metrics/tfrecord.h"

namespace uniq::metrics {
namespace {

double system_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

/// Names stand unquoted in the CSV.
void check_name(const std::string& kind, const std::string& name) {
  if (!name.empty() && name.find_first_of(",\"\r\n") == std::string::npos) return;
  throw Error({.what = kind + " of the metrics cannot be written",
               .got = "'" + name + "'",
               .expected = "a name without comma, quote and line break"});
}

std::string csv_header(const std::vector<std::string>& columns) {
  std::string line = "epoch,step,phase";
  for (const std::string& column : columns) line += "," + column;
  return line + "\n";
}

std::string csv_line(const Row& row, const std::vector<std::string>& columns) {
  std::string line = std::to_string(row.epoch) + "," + std::to_string(row.step) + "," + row.phase;
  for (const std::string& column : columns) {
    line += ",";
    const auto value = row.values.find(column);
    if (value != row.values.end()) line += number_text(value->second);
  }
  return line + "\n";
}

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_line(const Row& row, const std::vector<std::string>& columns) {
  std::ostringstream line;
  line << "{\"epoch\":" << std::to_string(row.epoch) << ",\"step\":" << std::to_string(row.step)
       << ",\"phase\":" << json_text(row.phase);
  for (const std::string& column : columns) {
    const auto value = row.values.find(column);
    if (value == row.values.end()) continue;
    // JSON has no word for what is not finite.
    const std::string number = std::isfinite(value->second) ? number_text(value->second) : "null";
    line << "," << json_text(column) << ":" << number;
  }
  line << "}\n";
  return line.str();
}

std::vector<std::pair<std::string, double>> scalars(const Row& row,
                                                    const std::vector<std::string>& columns) {
  std::vector<std::pair<std::string, double>> tagged;
  for (const std::string& column : columns) {
    const auto value = row.values.find(column);
    if (value != row.values.end()) tagged.emplace_back(row.phase + "/" + column, value->second);
  }
  return tagged;
}

/// A resumed run must go on with the columns that its file has.
void check_header(const std::filesystem::path& path, const std::string& header) {
  const std::string contents = read_regular_file(path);
  if (contents.compare(0, header.size(), header) == 0) return;
  throw Error({.what = "metrics file has other columns",
               .where = path.string(),
               .got = contents.substr(0, std::min<std::size_t>(contents.find('\n'), 200)),
               .expected = header.substr(0, header.size() - 1),
               .remedy = "to start the run anew, in another folder"});
}

}  // namespace

struct Writer::State {
  State(const std::filesystem::path& folder, std::vector<std::string> names,
        const Position& position)
      : columns(std::move(names)),
        csv(folder / kCsvFile, position.csv),
        jsonl(folder / kJsonFile, position.jsonl) {}

  Position lengths() const {
    return {csv.length(), jsonl.length(), events ? events->length() : untouched_events};
  }

  void cut(const Position& position) noexcept {
    csv.truncate(position.csv);
    jsonl.truncate(position.jsonl);
    if (events) events->truncate(position.tensorboard);
  }

  void append_event(const std::string& event) { events->append(tfrecord(event)); }

  std::vector<std::string> columns;
  std::function<double()> clock;
  LogFile csv;
  LogFile jsonl;
  std::optional<LogFile> events;
  std::int64_t untouched_events = 0;  ///< length to keep while no events are written
};

Writer::Writer(const std::filesystem::path& folder, std::vector<std::string> columns,
               bool tensorboard, const Position* resume, std::function<double()> clock) {
  for (const std::string& column : columns) check_name("column", column);
  const Position position = resume != nullptr ? *resume : Position{};
  state_ = std::make_unique<State>(folder, std::move(columns), position);
  state_->clock = clock ? std::move(clock) : system_seconds;
  state_->untouched_events = position.tensorboard;

  const std::string header = csv_header(state_->columns);
  if (position.csv == 0) {
    state_->csv.append(header);
  } else {
    check_header(folder / kCsvFile, header);
  }
  if (tensorboard) {
    state_->events.emplace(folder / kEventFile, position.tensorboard);
    if (position.tensorboard == 0) state_->append_event(file_version_event(state_->clock()));
  } else if (resume == nullptr) {
    std::error_code absent;
    std::filesystem::remove(folder / kEventFile, absent);  // an earlier run's
  }
}

Writer::~Writer() = default;

void Writer::write(const Row& row) {
  check_name("phase", row.phase);
  for (const auto& [name, value] : row.values) {
    if (std::find(state_->columns.begin(), state_->columns.end(), name) == state_->columns.end()) {
      throw Error({.what = "unknown column of the metrics",
                   .got = "'" + name + "'",
                   .expected = "one of " + join(state_->columns)});
    }
  }
  const Position before = state_->lengths();
  try {
    state_->csv.append(csv_line(row, state_->columns));
    state_->jsonl.append(json_line(row, state_->columns));
    if (state_->events && !row.values.empty()) {
      state_->append_event(scalar_event(state_->clock(), row.step, scalars(row, state_->columns)));
    }
  } catch (...) {
    state_->cut(before);
    throw;
  }
}

Position Writer::sync() {
  state_->csv.sync();
  state_->jsonl.sync();
  if (state_->events) state_->events->sync();
  return state_->lengths();
}

}  // namespace uniq::metrics
