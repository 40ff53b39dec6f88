// Running takes no memory from the system: operator new counts what is asked of it. The address
// sanitizer has an operator new of its own, so there this is left out.
#include <gtest/gtest.h>

#if !defined(__SANITIZE_ADDRESS__)

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/runtime/packed_networks.h"
#include "uniq/models/models.h"
#include "uniq/runtime/session.h"

namespace {

std::atomic<long> allocations = 0;

}  // namespace

// Not inlined: GCC would see malloc's memory given to delete, and free() called on new's.
__attribute__((noinline)) void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
__attribute__((noinline)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace uniq::runtime {
namespace {

TEST(Session, RunsWithoutAllocating) {
  const graph::Graph graph = models::build_model(
      "preact_resnet8", {.channels = 3, .height = 16, .width = 16, .classes = 10});
  for (const int ends : {8, 0}) {
    const auto network = std::make_shared<const Network>(testing::packed_network(
        graph, {.weight_bits = 2, .activation_bits = 2, .end_bits = ends}, 1));
    Session session(network, {.threads = 2});
    const std::vector<std::uint8_t> pictures(
        static_cast<std::size_t>(3 * network->picture_bytes()));
    std::vector<float> logits(static_cast<std::size_t>(3 * network->classes()));
    const long before = allocations;
    session.run(pictures, logits);
    EXPECT_EQ(allocations, before);
    EXPECT_GT(before, 0);
  }
}

}  // namespace
}  // namespace uniq::runtime

#endif  // !defined(__SANITIZE_ADDRESS__)
