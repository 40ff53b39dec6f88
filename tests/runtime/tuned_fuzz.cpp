// Any bytes as a file of tuned kernels: what is read is written and read again equal. The second
// time with a last line that is right: no mutation finds a checksum.
#include <cstdio>

#include "tests/fuzz/fuzzer.h"
#include "uniq/base/crc32c.h"
#include "uniq/runtime/tuned.h"

namespace uniq::runtime {
namespace {

void read(std::string_view text) {
  static const TunedFor here{.version = "1.2.3", .cpu = "CPU", .features = "none", .isa = "scalar"};
  const Tuned tuned = parse_tuned(text, here, "fuzz");
  // Times are written with six digits: what was written once stays.
  const std::string written = tuned_text(tuned, here);
  uniq::testing::require(tuned_text(parse_tuned(written, here, "again"), here) == written,
                         "written and read again equal");
}

/// Replaces the line `end ...` behind which nothing follows, or adds it.
std::string put_right(std::string_view text) {
  const std::size_t last = text.rfind("\nend ");
  std::string file(last == std::string_view::npos ? text : text.substr(0, last + 1));
  std::size_t convs = 0;
  for (std::size_t at = 0; (at = file.find("\nconv ", at)) != std::string::npos; ++at) ++convs;
  char end[48];
  std::snprintf(end, sizeof end, "end %zu %08x\n", convs, crc32c(file));
  return file + end;
}

void fuzz(std::string_view text) {
  const std::string right = put_right(text);
  if (right != text) uniq::testing::is_read([&] { read(right); });
  read(text);
}

const uniq::testing::RegisterFuzzer kFuzzer("tuned", fuzz);

}  // namespace
}  // namespace uniq::runtime
