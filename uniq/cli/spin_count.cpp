#include "uniq/cli/spin_count.h"

#include <cstdlib>

namespace uniq::cli {
namespace {

constexpr const char* kVariable = "GOMP_SPINCOUNT";
/// Rounds of the loop; docs/recipes.md says how it was chosen.
constexpr const char* kRounds = "10000";

}  // namespace

bool set_spin_count() {
  if (std::getenv(kVariable) != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return false;
  return ::setenv(kVariable, kRounds, 0) == 0;
}

}  // namespace uniq::cli
