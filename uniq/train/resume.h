// Whether a run may go on from what its folder holds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "uniq/train/checkpoint.h"
#include "uniq/train/run.h"

namespace uniq::train {

/// Whether the epochs that were done stay what they were where a run is given more of them: the
/// learning rate of an epoch does not depend on their number.
bool permits_more_epochs(const recipe::Schedule& schedule);

/// Whether a file of that name is what an earlier run left, and a new one removes.
bool is_of_a_run(const std::string& name);

/// What a run goes on from.
struct Resumption {
  std::vector<Extension> extensions;  ///< those of before, and that of now
  bool has_more_epochs = false;
  bool keeps_recipe = false;  ///< the folder's is the user's own
};

/// Nothing where the folder holds no run, or it begins anew. Throws Error where a run must not be
/// lost, also one whose last checkpoint is gone, and where it was begun with another recipe: the
/// message lists each key with both values. Keys that have no influence on the result
/// (recipe::Key::changes_result) may differ.
std::optional<Resumption> find_resumption(const recipe::Recipe& recipe, const RunOptions& options);

}  // namespace uniq::train
