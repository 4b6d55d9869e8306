#include "net/http2/huffman.h"

#include <array>
#include <cstdint>
#include <vector>

namespace troth::net {

namespace {

constexpr int kSymbols = 257;  // every byte, and the end of the string
constexpr int kEnd = 256;
constexpr int kBitsMax = 30;
constexpr int kPaddingMax = 7;

// How many bits each symbol's code has. Codes of a length follow one another in the order of their
// symbols, and those of a greater length continue where the shorter ones end; so this says all.
constexpr std::array<uint8_t, kSymbols> kBits = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28,  //
    28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, 6,  10, 10, 12, 13, 6,  8,  11,  //
    10, 10, 8,  11, 8,  6,  6,  6,  5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,   //
    15, 6,  12, 10, 13, 6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,   //
    7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,  15, 5,  6,  5,   //
    6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,  6,  7,  6,  5,  5,  6,  7,  7,   //
    7,  7,  7,  15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,  //
    23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,  //
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21,  //
    23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25,  //
    26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26,  //
    28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,  //
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30};

// A place in the tree of codes, and what four more bits lead to. At most one symbol ends within
// them, since the shortest code has five.
struct Step {
  uint16_t place = 0;
  int16_t symbol = -1;  // one that ended on the way
  bool fails = false;   // the end of the string was spelled out, which nobody may
};
struct Place {
  std::array<Step, 16> after;
  bool may_end = false;  // what was read since the last symbol can be padding
};

class Tree {
 public:
  Tree() {
    nodes_.emplace_back();
    uint32_t code = 0;
    for (int bits = 1; bits <= kBitsMax; ++bits, code <<= 1) {
      for (int symbol = 0; symbol < kSymbols; ++symbol) {
        if (kBits[static_cast<size_t>(symbol)] == bits) Add(code++, bits, symbol);
      }
    }
  }

  std::vector<Place> Places() const {
    std::vector<Place> places(nodes_.size());
    for (size_t at = 0; at < nodes_.size(); ++at) {
      for (uint32_t four = 0; four < 16; ++four) places[at].after[four] = Walk(at, four);
    }
    size_t at = 0;
    for (int bits = 0; bits <= kPaddingMax; ++bits) {  // padding is ones
      places[at].may_end = true;
      at = static_cast<size_t>(nodes_[at].next[1]);
    }
    return places;
  }

 private:
  // `next`: 0 none yet, above it a node, below it the symbol -1 - next.
  struct Node {
    std::array<int, 2> next = {0, 0};
  };

  void Add(uint32_t code, int bits, int symbol) {
    size_t at = 0;
    for (int i = bits - 1; i > 0; --i) {
      const uint32_t bit = code >> i & 1;
      if (nodes_[at].next[bit] == 0) {
        nodes_[at].next[bit] = static_cast<int>(nodes_.size());
        nodes_.emplace_back();
      }
      at = static_cast<size_t>(nodes_[at].next[bit]);
    }
    nodes_[at].next[code & 1] = -1 - symbol;
  }

  Step Walk(size_t at, uint32_t four) const {
    Step step;
    for (int i = 3; i >= 0; --i) {
      const int next = nodes_[at].next[four >> i & 1];
      at = next > 0 ? static_cast<size_t>(next) : 0;
      if (next >= 0) continue;
      const int symbol = -1 - next;
      if (symbol == kEnd) step.fails = true;
      step.symbol = static_cast<int16_t>(symbol);
    }
    step.place = static_cast<uint16_t>(at);
    return step;
  }

  std::vector<Node> nodes_;
};

const std::vector<Place>& Places() {
  static const std::vector<Place>& places = *new std::vector<Place>(Tree().Places());
  return places;
}

}  // namespace

bool HuffmanDecode(std::string_view coded, std::string& out) {
  const Place* const places = Places().data();
  size_t at = 0;
  for (const char c : coded) {
    const uint32_t byte = static_cast<uint8_t>(c);
    for (const uint32_t four : {byte >> 4, byte & 15}) {
      const Step& step = places[at].after[four];
      if (step.fails) return false;
      if (step.symbol >= 0) out.push_back(static_cast<char>(step.symbol));
      at = step.place;
    }
  }
  return places[at].may_end;
}

}  // namespace troth::net
