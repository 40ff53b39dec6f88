// Proof (0): the file holds, bit for bit, what packing makes of the checkpoint.
#pragma once

#include "uniq/format/packed_model.h"
#include "uniq/verify/report.h"

namespace uniq::verify {

/// Compares in the network's order and counts in `report` what was equal; the first difference
/// becomes report.failure. Both models must be valid (format::validate).
void compare_models(const format::PackedModel& expected, const format::PackedModel& model,
                    Report& report);

}  // namespace uniq::verify
