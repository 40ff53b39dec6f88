// What every file that claims to be a packed model is put through: it is refused with an Error, or
// read, and then it is a model like any other. Anything else (another exception, a crash, a
// sanitizer's report) is a bug.
#pragma once

#include <cstddef>
#include <span>

namespace uniq::testing {

/// Whether it was read. Throws std::logic_error where the model that was read, written again, gives
/// another one.
bool read_untrusted_model(std::span<const std::byte> bytes);

}  // namespace uniq::testing
