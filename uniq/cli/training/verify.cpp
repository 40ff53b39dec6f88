#include "uniq/verify/verify.h"

#include <algorithm>
#include <string>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/base/escape.h"
#include "uniq/base/memory.h"
#include "uniq/base/text.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"
#include "uniq/cli/training/commands.h"
#include "uniq/cli/training/console_listener.h"
#include "uniq/data/dataset.h"
#include "uniq/format/packed_file.h"
#include "uniq/train/load.h"
#include "uniq/train/threads.h"

namespace uniq::cli {
namespace {

constexpr std::uint64_t kSeed = 20210404;
constexpr std::int64_t kRandomPictures = 16;

std::int64_t random_count(const VerifyOptions& options) {
  if (options.random >= 0) return options.random;
  return options.data.empty() ? kRandomPictures : 0;
}

/// The first pictures of the data set, where one is named, then random ones.
data::Dataset pictures_for(const VerifyOptions& options, const format::CheckpointInfo& info) {
  if (options.data.empty() && random_count(options) == 0)
    throw UsageError({.what = "no pictures to verify with",
                      .got = "--random 0",
                      .expected = "a data set or random pictures",
                      .remedy = "--data NAME"});
  data::Dataset pictures = verify::random_pictures(info, random_count(options), kSeed);
  if (options.data.empty()) return pictures;
  const data::Split split = options.split == "train" ? data::Split::train : data::Split::test;
  data::Dataset set = data::load_dataset(options.data, options.root, split);
  const std::int64_t count = std::min(options.pictures, set.count());
  set.labels.resize(static_cast<std::size_t>(count));
  set.pixels.resize(static_cast<std::size_t>(count * set.picture_bytes()));
  const bool fits = set.channels == pictures.channels && set.height == pictures.height &&
                    set.width == pictures.width;
  if (!fits) return set;  // which the loader refuses, saying both sizes
  with_memory("the pictures to verify with", set.pixels.size() + pictures.pixels.size(), [&] {
    set.labels.insert(set.labels.end(), pictures.labels.begin(), pictures.labels.end());
    set.pixels.insert(set.pixels.end(), pictures.pixels.begin(), pictures.pixels.end());
  });
  return set;
}

std::string share(std::int64_t part, std::int64_t whole) {
  const double percent =
      whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return fixed(percent, 2) + " %";
}

std::string pictures_text(const verify::Report& report, const VerifyOptions& options) {
  std::string text = grouped(report.pictures);
  if (!options.data.empty()) text += " (" + options.data + ", " + options.split + ")";
  if (report.random_pictures > 0)
    text += ", " + grouped(report.random_pictures) + " of them random (seed " +
            std::to_string(report.seed) + ")";
  return text;
}

std::string class_text(const verify::Report& report) {
  std::string text = "the class is the same for " +
                     grouped(report.pictures - report.top1_differing) + " of " +
                     grouped(report.pictures) + " pictures";
  if (report.top1_tied > 0)
    text += ", " + grouped(report.top1_tied) +
            " of which have classes whose logits tie within their bounds";
  return text;
}

std::string report_table(const verify::Report& report, const VerifyOptions& options) {
  const verify::Compared& layers = report.layer_by_layer;
  const verify::Compared& free = report.free_run;
  Table table = facts();
  table.add({"proof (0)", grouped(report.parameters) + " parameters of " + grouped(report.layers) +
                              " layers are the checkpoint's, bit for bit"});
  table.add({"pictures", pictures_text(report, options)});
  table.add({"kernels", join(report.kernels) + "; the rest on " + join(report.instruction_sets)});
  table.add({"proof (a)", grouped(report.sums) + " integer sums are exact"});
  table.add({"", grouped(layers.values) +
                     " values within their bounds, of which they take at most " +
                     significant(100.0 * layers.largest_share) + " %"});
  table.add({"", grouped(layers.codes) + " codes, of which " + grouped(layers.codes_differing) +
                     " differ, within the bound of a threshold"});
  table.add({"proof (b)", grouped(free.codes) + " codes, of which " +
                              grouped(free.codes_differing) + " (" +
                              share(free.codes_differing, free.codes) + ") differ, " +
                              grouped(free.codes_at_bound) + " on equal inputs"});
  table.add({"", grouped(report.pictures_differing) + " pictures (" +
                     share(report.pictures_differing, report.pictures) +
                     ") have a differing code; logits of the others take at most " +
                     significant(100.0 * report.largest_logit_share) + " %" + " of their bounds"});
  table.add({"", class_text(report)});
  return table.text();
}

std::string result_text(const verify::Report& report, const VerifyOptions& options) {
  if (!report.proven()) return "not proven: " + printable(to_string(*report.failure), 1000) + "\n";
  return report_table(report, options) + "proven: the packed model computes what was trained\n";
}

}  // namespace

int verify(const VerifyOptions& options) {
  train::use_threads(options.threads);
  // Read once: a run that goes on may replace its checkpoint meanwhile.
  const format::Safetensors checkpoint{std::filesystem::path(options.checkpoint)};
  const train::LoadedNetwork loaded = train::load_network(checkpoint);
  const format::PackedModel model = format::read_packed(options.model);
  const data::Dataset pictures = pictures_for(options, loaded.info);
  verify::Report report = [&] {
    ConsoleListener listener(options.quiet);
    return verify::verify(loaded, pack::tensors_of(checkpoint), model, pictures,
                          {.threads = options.threads, .listener = &listener});
  }();
  report.random_pictures = random_count(options);
  report.seed = kSeed;
  print(options.json ? escaped_json(to_json(report)) + "\n" : result_text(report, options));
  return report.proven() ? kSuccess : kFailure;
}

}  // namespace uniq::cli
