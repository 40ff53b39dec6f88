#include "uniq/verify/text.h"

#include <array>
#include <cstdio>

namespace uniq::verify {

std::string number_text(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.9g", value);
  return text.data();
}

}  // namespace uniq::verify
