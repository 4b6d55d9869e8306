#pragma once
// Reads header blocks (RFC 7541), with the table that goes with one direction of a connection.

#include <optional>
#include <string>
#include <string_view>

#include "net/http2/field_kind.h"
#include "net/http2/hpack_table.h"

namespace troth::net {

struct ReceivedField {
  std::string_view name;
  std::string_view value;
  FieldKind kind = FieldKind::kRegular;
};

// One block after another: Begin, then Next until there is no more.
class HpackDecoder {
 public:
  // A whole block; it lives until its last field has been read.
  void Begin(std::string_view block);
  // The next field, valid until the next call; nothing at the end or at a fault. A block has to be
  // read to its end even if nobody wants its fields, since later ones build on it.
  std::optional<ReceivedField> Next();
  // The block cannot be read, nor any that follows.
  bool failed() const { return failed_; }

 private:
  std::optional<ReceivedField> Fail();
  std::optional<ReceivedField> Indexed(uint64_t index);
  std::optional<ReceivedField> Literal(int index_bits, bool insert);
  bool ReadTableSizes();
  // The index or number in the low bits of the next byte and perhaps those after it.
  std::optional<uint64_t> ReadNumber(int bits);
  // Coded ones are read into `buffer`.
  std::optional<std::string_view> ReadText(std::string& buffer);
  std::optional<ReceivedField> At(uint64_t index) const;

  HpackTable table_;
  std::string_view rest_;  // of the block
  std::string name_;
  std::string value_;
  bool failed_ = false;
};

}  // namespace troth::net
