// How the C library's allocator treats memory that a step frees and the next takes again.
#pragma once

namespace uniq::train {

/// Keeps freed blocks of every size in the process instead of giving them back to the system: a
/// training step takes the same large tensors again and again, and fresh pages cost faults. Call
/// once, before the first tensor. Does nothing on another C library than glibc.
void keep_freed_memory();

}  // namespace uniq::train
