// Random numbers that are the same on every machine: std::shuffle and the distributions of <random>
// are not.
//
// The generator is SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
// generators", OOPSLA 2014): state += 0x9e3779b97f4a7c15, output mix(state). A stream derives its
// first state from the seed and a path of numbers (purpose, epoch, batch ...), so that any batch
// can be made without those before it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>

namespace uniq::data {

/// What a stream is for; the first number of its path. Never renumber: a seed would mean other
/// pictures than before.
enum class Stream : std::uint64_t {
  epoch_order = 1,
  augmentation = 2,
  hold_out = 3,
  random_network = 4
};

class Random {
 public:
  explicit Random(std::uint64_t state) : state_(state) {}

  /// state = mix(seed + g), then state = mix((state ^ p) + g) for each number p of the path,
  /// g = 0x9e3779b97f4a7c15.
  Random(std::uint64_t seed, Stream purpose, std::initializer_list<std::uint64_t> path)
      : state_(mix(seed + kGamma)) {
    descend(static_cast<std::uint64_t>(purpose));
    for (const std::uint64_t part : path) descend(part);
  }

  /// 64 random bits.
  std::uint64_t next() { return mix(state_ += kGamma); }

  /// Uniform in 0..bound-1, without bias (Lemire: "Fast random integer generation in an interval",
  /// 2019). `bound` is at least 1.
  std::uint64_t below(std::uint64_t bound) {
    Wide product = Wide{next()} * bound;
    if (static_cast<std::uint64_t>(product) < bound) {
      const std::uint64_t threshold = (0 - bound) % bound;
      while (static_cast<std::uint64_t>(product) < threshold) product = Wide{next()} * bound;
    }
    return static_cast<std::uint64_t>(product >> 64);
  }

  /// True with probability 1/2.
  bool coin() { return (next() >> 63) != 0; }

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15;

  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  void descend(std::uint64_t part) { state_ = mix((state_ ^ part) + kGamma); }

  std::uint64_t state_;
};

/// Fisher-Yates from the last element down: element i changes places with element below(i + 1).
template <typename T>
void shuffle(std::span<T> values, Random& random) {
  for (std::size_t i = values.size(); i > 1; --i) {
    std::swap(values[i - 1], values[random.below(i)]);
  }
}

}  // namespace uniq::data
