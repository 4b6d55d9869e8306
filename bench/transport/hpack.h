#pragma once
// Header compression as a load generator needs it (RFC 7541): few header blocks, sent over and
// over.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

struct nghttp2_hd_inflater;

namespace troth::bench {

struct HeaderField {
  std::string name;
  std::string value;
};
using HeaderFields = std::vector<HeaderField>;

// Writes blocks known from the start. A field's first use puts it into the peer's table; from then
// on it is an index, and a block made of indices alone is the same bytes each time.
class HpackWriter {
 public:
  explicit HpackWriter(std::vector<HeaderFields> blocks);

  // Block `number`, to be sent now: the peer has to see every block in the order of these calls.
  // Valid until the next call.
  std::string_view Block(size_t number);
  // The peer's SETTINGS_HEADER_TABLE_SIZE. Too small for our fields: nothing is indexed any more.
  void SetTableSize(uint32_t bytes);

 private:
  struct Known {
    HeaderFields fields;
    std::string bytes;
    uint64_t encoded_at = 0;  // insertions_ then; 0: not encoded, or its bytes put fields in
  };

  void AppendField(std::string& out, const HeaderField& field);
  void AppendLiteral(std::string& out, const HeaderField& field);

  std::vector<Known> blocks_;
  std::vector<const HeaderField*> table_;  // in the order of insertion
  uint64_t insertions_ = 1;
  bool indexes_ = true;
  bool must_empty_table_ = false;
};

// Reads what the peer sends. nghttp2 inflates; a block of indices alone that was seen since the
// table last changed is recognised by its bytes.
class HpackReader {
 public:
  HpackReader();
  ~HpackReader();
  HpackReader(const HpackReader&) = delete;
  HpackReader& operator=(const HpackReader&) = delete;

  // The fields of a whole block, valid until the next call. Error: it cannot be inflated.
  StatusOr<const HeaderFields*> Read(std::string_view block);

 private:
  struct Seen {
    std::string bytes;
    HeaderFields fields;
  };

  nghttp2_hd_inflater* inflater_ = nullptr;
  std::vector<Seen> seen_;
  Seen last_;
};

// The value of the field, or nothing.
const std::string* FindField(const HeaderFields& fields, std::string_view name);

}  // namespace troth::bench
