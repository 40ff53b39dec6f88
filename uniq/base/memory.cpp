#include "uniq/base/memory.h"

#include "uniq/base/text.h"

namespace uniq {

void fail_for_memory(const std::string& owner, std::uint64_t bytes) {
  throw MemoryError(
      ErrorText{.what = "not enough memory",
                .where = owner,
                .expected = human_bytes(static_cast<double>(bytes)),
                .remedy = "to close other programs, or to raise the memory limit (ulimit -v, the "
                          "container's)"});
}

}  // namespace uniq
