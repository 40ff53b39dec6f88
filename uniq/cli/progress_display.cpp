#include "uniq/cli/progress_display.h"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "uniq/base/clock.h"
#include "uniq/base/escape.h"
#include "uniq/cli/console.h"

namespace uniq::cli {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kPlainLineSeconds = 30.0;
constexpr int kWidestBar = 30;
constexpr int kNarrowestBar = 5;
constexpr int kBarFrame = 4;  ///< two brackets, two blanks
constexpr const char* kClearLine = "\r\x1b[K";

/// The first `width` characters of UTF-8 text.
std::string cut(const std::string& text, int width) {
  int characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins_character = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (begins_character && ++characters > width) return text.substr(0, i);
  }
  return text;
}

}  // namespace

ProgressDisplay::ProgressDisplay(Settings settings)
    : settings_(std::move(settings)), last_(settings_.clock()) {
  // On a terminal the first is drawn at once.
  if (settings_.terminal) last_ = -std::numeric_limits<double>::infinity();
}

ProgressDisplay::~ProgressDisplay() { clear(); }

void ProgressDisplay::message(const std::string& line) {
  if (settings_.quiet) return;
  clear();
  settings_.write(escaped(line) + "\n");
}

void ProgressDisplay::progress(const metrics::Progress& progress, const std::string& head,
                               const std::string& tail) {
  if (settings_.quiet) return;
  const double now = settings_.clock();
  if (now - last_ < (settings_.terminal ? kRedrawSeconds : kPlainLineSeconds)) return;
  last_ = now;
  if (!settings_.terminal) {
    settings_.write(progress.line(head, tail, 0) + "\n");
    return;
  }
  settings_.write(kClearLine + fitted(progress, head, tail));
  drawn_ = true;
}

void ProgressDisplay::clear() {
  if (!drawn_) return;
  settings_.write(kClearLine);
  drawn_ = false;
}

std::string ProgressDisplay::fitted(const metrics::Progress& progress, const std::string& head,
                                    const std::string& tail) const {
  // The last column stays free: some terminals begin a new line once it is written.
  const int width = settings_.width() - 1;
  const std::string plain = progress.line(head, tail, 0);
  const int room = width - static_cast<int>(plain.size()) - kBarFrame;
  if (room < kNarrowestBar) return cut(plain, width);
  return cut(progress.line(head, tail, std::min(room, kWidestBar)), width);
}

ProgressDisplay::Settings standard_error_settings(bool quiet) {
  return {.quiet = quiet,
          .terminal = is_terminal(STDERR_FILENO),
          .width = [] { return terminal_width(STDERR_FILENO); },
          .clock = now,
          .write = [](const std::string& text) { print_error(text); }};
}

}  // namespace uniq::cli
