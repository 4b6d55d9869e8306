#include "net/http2_memory.h"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace troth::net {

namespace {

constexpr size_t kStep = 64;  // blocks come in multiples of this
constexpr size_t kClasses = 16;
constexpr size_t kBlocksKeptMax = 8192;  // for each class and thread: 8 MiB of the largest

// Before each block, and wide enough to keep what follows aligned for anything.
struct alignas(std::max_align_t) Header {
  size_t block_class;  // kClasses: too large to be kept
  size_t bytes;        // usable
};

struct FreeBlock {
  FreeBlock* next;
};

class FreeLists {
 public:
  FreeLists() = default;
  FreeLists(const FreeLists&) = delete;
  FreeLists& operator=(const FreeLists&) = delete;
  ~FreeLists() {
    for (List& list : lists_) {
      while (list.first != nullptr) std::free(HeaderOf(Pop(list)));
    }
  }

  void* Allocate(size_t bytes) {
    const size_t block_class = bytes == 0 ? 0 : (bytes - 1) / kStep;
    if (block_class >= kClasses) return NewBlock(kClasses, bytes);
    List& list = lists_[block_class];
    if (list.first != nullptr) return Pop(list);
    return NewBlock(block_class, (block_class + 1) * kStep);
  }

  void Free(void* block) {
    if (block == nullptr) return;
    Header* header = HeaderOf(block);
    if (header->block_class < kClasses && lists_[header->block_class].count < kBlocksKeptMax) {
      List& list = lists_[header->block_class];
      list.first = new (block) FreeBlock{list.first};
      ++list.count;
      return;
    }
    std::free(header);
  }

  void* Reallocate(void* block, size_t bytes) {
    if (block == nullptr) return Allocate(bytes);
    if (bytes <= HeaderOf(block)->bytes) return block;
    void* larger = Allocate(bytes);
    if (larger == nullptr) return nullptr;
    std::memcpy(larger, block, HeaderOf(block)->bytes);
    Free(block);
    return larger;
  }

 private:
  struct List {
    FreeBlock* first = nullptr;
    size_t count = 0;
  };

  static Header* HeaderOf(void* block) { return static_cast<Header*>(block) - 1; }
  static void* NewBlock(size_t block_class, size_t bytes) {
    auto* header = static_cast<Header*>(std::malloc(sizeof(Header) + bytes));
    if (header == nullptr) return nullptr;
    *header = {block_class, bytes};
    return header + 1;
  }
  static void* Pop(List& list) {
    FreeBlock* block = list.first;
    list.first = block->next;
    --list.count;
    return block;
  }

  std::array<List, kClasses> lists_;
};

FreeLists& Lists() {
  thread_local FreeLists lists;
  return lists;
}

void* Calloc(size_t count, size_t size, void*) {
  if (size != 0 && count > std::numeric_limits<size_t>::max() / size) return nullptr;
  void* block = Lists().Allocate(count * size);
  if (block != nullptr) std::memset(block, 0, count * size);
  return block;
}

}  // namespace

nghttp2_mem* Http2Memory() {
  static nghttp2_mem memory{
      .mem_user_data = nullptr,
      .malloc = [](size_t bytes, void*) { return Lists().Allocate(bytes); },
      .free = [](void* block, void*) { Lists().Free(block); },
      .calloc = Calloc,
      .realloc = [](void* block, size_t bytes, void*) { return Lists().Reallocate(block, bytes); },
  };
  return &memory;
}

}  // namespace troth::net
