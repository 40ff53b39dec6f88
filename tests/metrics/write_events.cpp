// Writes the metrics of a small, fixed run into a folder, half of it resumed:
// tensorboard_read.py compares what TensorBoard makes of it.
#include <filesystem>

#include "uniq/metrics/metrics.h"

namespace {

uniq::metrics::Row row(std::int64_t step) {
  return {step / 10, step, "train", {{"loss", 1.0 / static_cast<double>(step)}, {"lr", 0.1}}};
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder = arguments[1];
  uniq::metrics::Position saved;
  {
    uniq::metrics::Writer writer(folder, {"loss", "lr", "top1"}, true);
    for (std::int64_t step = 1; step <= 20; ++step) writer.write(row(step));
    saved = writer.sync();
    for (std::int64_t step = 21; step <= 25; ++step) writer.write(row(step));
  }
  uniq::metrics::Writer writer(folder, {"loss", "lr", "top1"}, true, &saved);
  for (std::int64_t step = 21; step <= 40; ++step) writer.write(row(step));
  writer.write({3, 40, "validation", {{"top1", 91.5}}});
  writer.sync();
  return 0;
}
