#include "tests/support/guarded_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

namespace uniq::testing {
namespace {

constexpr unsigned char kUntouched = 0xd7;

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

/// What is known of a piece of memory, in a page of its own before the first forbidden one:
/// [header][forbidden][pages][forbidden].
struct Header {
  std::size_t pages;  ///< bytes of those in between
  std::size_t size;
  Header* next;  ///< while nobody uses it
};

/// Memory that was given back, by its pages: asking the system each time would take most of a
/// test's time.
constexpr std::size_t kKinds = 64;
std::mutex unused_mutex;
Header* unused[kKinds];

Header* take_unused(std::size_t pages) {
  const std::size_t kind = pages / page_bytes();
  if (kind >= kKinds) return nullptr;
  const std::scoped_lock lock(unused_mutex);
  Header* const header = unused[kind];
  if (header != nullptr) unused[kind] = header->next;
  return header;
}

/// Of the forbidden pages. Where UNIQ_READABLE_GUARDS is set they may be read: qemu-user 7.2 reads
/// a whole vector for a masked load, which the CPU does not. Writes are seen all the same.
int protection() {
  static const bool readable = std::getenv("UNIQ_READABLE_GUARDS") != nullptr;
  return readable ? PROT_READ : PROT_NONE;
}

std::size_t mapped_bytes(std::size_t pages) { return pages + 3 * page_bytes(); }

Header* map_new(std::size_t pages) {
  const std::size_t mapped = mapped_bytes(pages);
  void* const all = mmap(nullptr, mapped, protection(), MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) throw std::bad_alloc();
  auto* const bytes = static_cast<unsigned char*>(all);
  constexpr int kUsable = PROT_READ | PROT_WRITE;
  if (mprotect(bytes, page_bytes(), kUsable) != 0 ||
      mprotect(bytes + 2 * page_bytes(), pages, kUsable) != 0) {
    munmap(all, mapped);
    throw std::bad_alloc();
  }
  return new (all) Header{pages, 0, nullptr};
}

Header* header_of(void* memory) {
  const std::size_t in_page = reinterpret_cast<std::uintptr_t>(memory) % page_bytes();
  return reinterpret_cast<Header*>(static_cast<unsigned char*>(memory) - in_page -
                                   2 * page_bytes());
}

bool is_untouched(const unsigned char* first, const unsigned char* end) {
  for (; first != end; ++first)
    if (*first != kUntouched) return false;
  return true;
}

}  // namespace

void* new_guarded(std::size_t size, std::size_t alignment, Side side) {
  const std::size_t page = page_bytes();
  const std::size_t pages = size == 0 ? page : (size + page - 1) / page * page;
  Header* header = take_unused(pages);
  if (header == nullptr) header = map_new(pages);
  header->size = size;
  unsigned char* const first = reinterpret_cast<unsigned char*>(header) + 2 * page;
  std::memset(first, kUntouched, pages);
  if (side == Side::begin) return first;
  // Of no bytes, too, the address lies in the pages.
  return first + (pages - (size == 0 ? 1 : size)) / alignment * alignment;
}

void delete_guarded(void* memory) noexcept {
  if (memory == nullptr) return;
  Header* const header = header_of(memory);
  const auto* const first = reinterpret_cast<unsigned char*>(header) + 2 * page_bytes();
  const auto* const used = static_cast<unsigned char*>(memory);
  if (!is_untouched(first, used) || !is_untouched(used + header->size, first + header->pages)) {
    std::fputs("guarded memory: a byte beside it was written\n", stderr);
    std::abort();
  }
  const std::size_t kind = header->pages / page_bytes();
  if (kind >= kKinds) {
    munmap(header, mapped_bytes(header->pages));
    return;
  }
  const std::scoped_lock lock(unused_mutex);
  header->next = unused[kind];
  unused[kind] = header;
}

}  // namespace uniq::testing
