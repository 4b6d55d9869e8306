#pragma once
// Writes header blocks (RFC 7541), with the table that goes with one direction of a connection.
// Made for a service that sends the same few fields over and over: what was sent before is one or
// two bytes. Strings are not Huffman-coded (huffman.h says why).

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "net/http2/hpack_table.h"

namespace troth::net {

struct Http2Header {
  std::string_view name;  // in lower case
  std::string_view value;
  // Unique values must not push constant ones out of the table.
  bool never_index = false;
};

// Fields are found by one of so many hashes.
inline constexpr size_t kHpackBuckets = 64;

class HpackEncoder {
 public:
  // Appends a whole block. Blocks must be sent in the order of these calls.
  void Append(std::span<const Http2Header> headers, std::string& out);

  // The peer's SETTINGS_HEADER_TABLE_SIZE; we use no more than kHpackTableBytesMax.
  void SetPeerTableBytes(uint32_t bytes);

 private:
  void AppendTableSizes(std::string& out);
  void AppendField(const Http2Header& header, std::string& out);
  void AppendLiteral(const Http2Header& header, std::string& out);
  // The field's index; 0 when it is not in the table.
  uint64_t Find(std::string_view name, std::string_view value) const;
  void Insert(std::string_view name, std::string_view value);

  HpackTable table_;
  std::array<uint64_t, kHpackBuckets> newest_{};  // by a field's hash: number of its newest entry
  // Of the table since the last block: the least and the last.
  uint32_t bytes_least_ = kHpackTableBytesMax;
  uint32_t bytes_now_ = kHpackTableBytesMax;
  uint32_t bytes_told_ = kHpackTableBytesMax;
};

}  // namespace troth::net
