#include "uniq/cli/progress_display.h"

#include <gmock/gmock.h>

namespace uniq::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kClear = "\r\x1b[K";

struct Screen {
  std::vector<std::string> written;
  double now = 100.0;
  int width = 80;

  ProgressDisplay::Settings settings(bool terminal, bool quiet = false) {
    return {.quiet = quiet,
            .terminal = terminal,
            .width = [this] { return width; },
            .clock = [this] { return now; },
            .write = [this](const std::string& text) { written.push_back(text); }};
  }
};

/// Half done; the clock stands still, so that no time left is known.
metrics::Progress half_done() {
  metrics::Progress progress(10, [] { return 0.0; });
  progress.advance(5);
  return progress;
}

TEST(ProgressDisplay, DrawsOneLineAgainAndAgainOnATerminal) {
  Screen screen;
  ProgressDisplay display(screen.settings(true));
  const metrics::Progress progress = half_done();
  display.progress(progress, "epoch 1/2", "loss 1.5");
  const std::string line = kClear + progress.line("epoch 1/2", "loss 1.5", 30);
  EXPECT_THAT(screen.written, ElementsAre(line));
  display.clear();
  EXPECT_THAT(screen.written, ElementsAre(line, kClear));
  display.clear();
  EXPECT_EQ(screen.written.size(), 2u) << "nothing is left to remove";
}

TEST(ProgressDisplay, EscapesMessages) {
  Screen screen;
  ProgressDisplay(screen.settings(false)).message("a\u202eb\x1b");
  EXPECT_THAT(screen.written, ElementsAre("a\\u202eb\\x1b\n"));
}

TEST(ProgressDisplay, DrawsAtMostTenTimesASecond) {
  Screen screen;
  ProgressDisplay display(screen.settings(true));
  const metrics::Progress progress = half_done();
  for (int i = 0; i < 1024; ++i) {  // a second in steps that are exact
    display.progress(progress, "", "");
    screen.now += 1.0 / 1024;
  }
  EXPECT_GE(screen.written.size(), 9u);
  EXPECT_LE(screen.written.size(), 10u);
}

TEST(ProgressDisplay, FitsAnyWidth) {
  const metrics::Progress progress = half_done();
  for (int width = 1; width <= 100; ++width) {
    Screen screen;
    screen.width = width;
    ProgressDisplay display(screen.settings(true));
    display.progress(progress, "epoch 1/2", "loss 1.5");
    ASSERT_EQ(screen.written.size(), 1u);
    const std::string line = screen.written[0].substr(std::string(kClear).size());
    EXPECT_LE(static_cast<int>(line.size()), width - 1) << line;
    const std::string plain = progress.line("epoch 1/2", "loss 1.5", 0);
    const bool has_bar = line.find('[') != std::string::npos;
    EXPECT_EQ(has_bar, width - 1 >= static_cast<int>(plain.size()) + 4 + 5) << line;
  }
}

TEST(ProgressDisplay, CutsBetweenCharacters) {
  Screen screen;
  screen.width = 4;
  ProgressDisplay display(screen.settings(true));
  display.progress(half_done(), "äöüß", "");
  EXPECT_THAT(screen.written, ElementsAre(std::string(kClear) + "äöü"));
}

TEST(ProgressDisplay, WritesMessagesAboveTheLine) {
  Screen screen;
  ProgressDisplay display(screen.settings(true));
  display.progress(half_done(), "a", "");
  display.message("an epoch ended");
  ASSERT_EQ(screen.written.size(), 3u);
  EXPECT_EQ(screen.written[1], kClear);
  EXPECT_EQ(screen.written[2], "an epoch ended\n");
}

TEST(ProgressDisplay, RemovesItsLineAtTheEnd) {
  Screen screen;
  {
    ProgressDisplay display(screen.settings(true));
    display.progress(half_done(), "a", "");
  }
  EXPECT_THAT(screen.written, ElementsAre(::testing::_, kClear));
}

TEST(ProgressDisplay, WritesAPlainLineEveryHalfMinuteElsewhere) {
  Screen screen;
  ProgressDisplay display(screen.settings(false));
  const metrics::Progress progress = half_done();
  for (int second = 0; second <= 65; ++second) {
    display.progress(progress, "epoch 1/2", "loss 1.5");
    screen.now += 1.0;
  }
  const std::string line = progress.line("epoch 1/2", "loss 1.5", 0) + "\n";
  EXPECT_THAT(screen.written, ElementsAre(line, line));
  display.message("an epoch ended");
  EXPECT_EQ(screen.written.back(), "an epoch ended\n");
}

TEST(ProgressDisplay, IsSilentWhereQuiet) {
  Screen screen;
  {
    ProgressDisplay display(screen.settings(true, true));
    display.progress(half_done(), "a", "");
    display.message("an epoch ended");
  }
  EXPECT_THAT(screen.written, IsEmpty());
}

}  // namespace
}  // namespace uniq::cli
