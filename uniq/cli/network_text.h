// What a network expects and tells, as `inspect` shows it.
#pragma once

#include <string>
#include <vector>

#include "uniq/data/preprocessing.h"

namespace uniq::cli {

/// "3x224x224, resize shorter:256, mean 0.485, 0.456, 0.406, deviation 0.229, 0.224, 0.225".
std::string preprocessing_text(const data::Preprocessing& pictures);

/// "3: cat, dog, bird", cut where it is long.
std::string classes_text(const std::vector<std::string>& classes);

/// "0.25 .. 0.75", or one number where both read the same.
std::string range_text(double smallest, double largest);

}  // namespace uniq::cli
