// What a run tells while it goes on. Libraries never print: uniq/cli gives the listener.
#pragma once

#include <string>

#include "uniq/metrics/progress.h"

namespace uniq::train {

class Listener {
 public:
  virtual ~Listener() = default;
  /// One line of the log.
  virtual void message(const std::string& line) = 0;
  /// Work has advanced; `head` says of what ("epoch 2/5"), `tail` what it reached ("loss 0.412").
  /// Called often: the listener decides how often to show it.
  virtual void progress(const metrics::Progress& progress, const std::string& head,
                        const std::string& tail) = 0;
};

}  // namespace uniq::train
