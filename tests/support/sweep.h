// How far the tests' sweeps go.
#pragma once

#include <cstdlib>

namespace uniq::testing {

/// small: UNIQ_SMALL is set in the environment, for emulated CPUs: fewer cases, the same edges.
/// full: UNIQ_FULL is set: exhaustive.
enum class Sweep { small, usual, full };

inline Sweep sweep() {
  const auto is_set = [](const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  if (is_set("UNIQ_FULL")) return Sweep::full;
  return is_set("UNIQ_SMALL") ? Sweep::small : Sweep::usual;
}

/// The one of three for the sweep.
template <class T>
T by_sweep(T small, T usual, T full) {
  if (sweep() == Sweep::full) return full;
  return sweep() == Sweep::small ? small : usual;
}

}  // namespace uniq::testing
