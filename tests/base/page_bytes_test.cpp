#include "uniq/base/page_bytes.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>

namespace uniq {
namespace {

bool is_mapped(const std::byte* page) {
  unsigned char resident = 0;
  return ::mincore(const_cast<std::byte*>(page), 1, &resident) == 0 || errno != ENOMEM;
}

TEST(PageBytes, AreWholePagesThatGoBackToTheSystem) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::byte* begin = nullptr;
  {
    PageBytes bytes(10 * page + 1);
    EXPECT_EQ(bytes.bytes().size(), 10 * page + 1);
    begin = bytes.bytes().data();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(begin) % page, 0U);
    bytes.bytes().front() = std::byte{1};
    bytes.bytes().back() = std::byte{2};
    EXPECT_TRUE(is_mapped(begin));
  }
  EXPECT_FALSE(is_mapped(begin));
}

TEST(PageBytes, Move) {
  PageBytes first(100);
  first.bytes()[7] = std::byte{7};
  PageBytes second(std::move(first));
  EXPECT_EQ(second.bytes()[7], std::byte{7});
  PageBytes third;
  EXPECT_TRUE(third.bytes().empty());
  third = std::move(second);
  EXPECT_EQ(third.bytes().size(), 100U);
  EXPECT_EQ(third.bytes()[7], std::byte{7});
}

TEST(PageBytes, NoneAndTooMany) {
  EXPECT_TRUE(PageBytes(0).bytes().empty());
  EXPECT_THROW(PageBytes(std::numeric_limits<std::size_t>::max() / 2), std::bad_alloc);
}

}  // namespace
}  // namespace uniq
