// Numbers as failures name them.
#pragma once

#include <string>

namespace uniq::verify {

/// Nine significant digits, which tell all fp32 numbers apart.
std::string number_text(double value);

}  // namespace uniq::verify
