// Ctrl-C at a chosen moment, within the process.
#pragma once

#include <atomic>
#include <limits>
#include <string>
#include <vector>

#include "uniq/train/listener.h"

namespace uniq::testing {

/// Asks a run to stop when it tells of its progress for the `at`-th time (from 1): in calibration,
/// after a training batch, in an evaluation.
class StopAt : public train::Listener {
 public:
  explicit StopAt(int at = std::numeric_limits<int>::max()) : at_(at) {}

  void message(const std::string& line) override { messages.push_back(line); }
  void progress(const metrics::Progress&, const std::string& head, const std::string&) override {
    heads.push_back(head);
    if (static_cast<int>(heads.size()) == at_) stop = true;
  }

  std::atomic<bool> stop = false;
  std::vector<std::string> messages;
  std::vector<std::string> heads;  ///< what each call was about

 private:
  int at_;
};

}  // namespace uniq::testing
