// Packed models that are damaged, or were made to do harm, for every way in which they are read.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

namespace uniq::testing {

/// Calls visit(what was done, bytes) for each file: cut off at every length, longer than it says,
/// every bit flipped with the checksum left as it was and made right again, every byte of the
/// metadata set to odd values, every field of the header set to the least and the largest number,
/// and the seeds of the fuzzer. Some of them are sound after all: `visit` has to find out.
void for_each_hostile_packed(
    const std::function<void(const std::string& what, std::span<const std::byte> file)>& visit);

}  // namespace uniq::testing
