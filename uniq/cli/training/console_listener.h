// Shows what a training run tells on standard error.
#pragma once

#include <string>

#include "uniq/cli/progress_display.h"
#include "uniq/train/listener.h"

namespace uniq::cli {

class ConsoleListener : public train::Listener {
 public:
  explicit ConsoleListener(bool quiet) : display_(standard_error_settings(quiet)) {}

  void message(const std::string& line) override { display_.message(line); }
  void progress(const metrics::Progress& progress, const std::string& head,
                const std::string& tail) override {
    display_.progress(progress, head, tail);
  }

 private:
  ProgressDisplay display_;
};

}  // namespace uniq::cli
