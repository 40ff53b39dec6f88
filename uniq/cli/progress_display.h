// How work that goes on is shown: one line on a terminal that is drawn again and again, elsewhere a
// plain line now and then.
#pragma once

#include <functional>
#include <string>

#include "uniq/metrics/progress.h"

namespace uniq::cli {

class ProgressDisplay {
 public:
  struct Settings {
    bool quiet = false;
    bool terminal = false;
    std::function<int()> width;     ///< columns of the terminal
    std::function<double()> clock;  ///< seconds, monotonic
    std::function<void(const std::string&)> write;
  };

  explicit ProgressDisplay(Settings settings);
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  /// A line of the log, above the progress.
  void message(const std::string& line);
  void progress(const metrics::Progress& progress, const std::string& head,
                const std::string& tail);
  /// Removes the line from the terminal; what is printed next begins on a clean one.
  void clear();

 private:
  std::string fitted(const metrics::Progress& progress, const std::string& head,
                     const std::string& tail) const;

  Settings settings_;
  double last_ = 0.0;  ///< when something was shown
  bool drawn_ = false;
};

/// On standard error.
ProgressDisplay::Settings standard_error_settings(bool quiet);

}  // namespace uniq::cli
