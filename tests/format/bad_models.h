// Everything that validate() has to refuse: a change to small_model(), and the message.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "uniq/format/packed_model.h"

namespace uniq::testing {

struct BadModel {
  std::function<void(format::PackedModel&)> change;
  std::string message;  ///< whole, where the model is called "m.uniq"
};

/// Spans point to storage that lives on.
const std::vector<BadModel>& bad_models();

}  // namespace uniq::testing
