// What every file that claims to be a checkpoint is put through: it is read, or refused with an
// Error; anything else (another exception, a crash, a sanitizer's report) is a bug.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace uniq::testing {

enum class Outcome { refused, tensors, checkpoint };

/// How far the reading came.
Outcome read_untrusted(std::span<const std::byte> bytes);

}  // namespace uniq::testing
