#include "bench/transport/hpack.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace troth::bench {
namespace {

constexpr uint32_t kTableBytes = 4096;  // both sides' default
constexpr size_t kFieldOverhead = 32;   // what RFC 7541 section 4.1 adds to each field
constexpr size_t kStaticFields = 61;
constexpr size_t kSeenMax = 16;  // blocks recognised by their bytes; a server has two or three

// What we need of the static table (RFC 7541 appendix A); a value-less entry gives its name only.
struct StaticField {
  std::string_view name;
  std::string_view value;
  uint8_t index;
};
constexpr StaticField kStaticTable[] = {
    {":authority", "", 1},
    {":method", "POST", 3},
    {":path", "", 4},
    {":scheme", "http", 6},
    {":status", "200", 8},
    {"content-type", "", 31},
    {"user-agent", "", 58},
};

void AppendInteger(std::string& out, uint8_t pattern, int prefix_bits, size_t value) {
  const size_t prefix_max = (size_t{1} << prefix_bits) - 1;
  if (value < prefix_max) {
    out += static_cast<char>(pattern | value);
    return;
  }
  out += static_cast<char>(pattern | prefix_max);
  for (value -= prefix_max; value >= 128; value >>= 7) out += static_cast<char>(value % 128 + 128);
  out += static_cast<char>(value);
}

void AppendText(std::string& out, std::string_view text) {
  AppendInteger(out, 0, 7, text.size());
  out += text;
}

size_t TableBytes(const HeaderFields& fields) {
  size_t bytes = 0;
  for (const HeaderField& f : fields) bytes += f.name.size() + f.value.size() + kFieldOverhead;
  return bytes;
}

bool OnlyIndices(std::string_view block) {
  return std::all_of(block.begin(), block.end(), [](char c) { return (c & 0x80) != 0; });
}

}  // namespace

HpackWriter::HpackWriter(std::vector<HeaderFields> blocks) {
  size_t bytes = 0;
  for (HeaderFields& fields : blocks) {
    bytes += TableBytes(fields);
    blocks_.push_back({.fields = std::move(fields)});
  }
  TROTH_CHECK(bytes <= kTableBytes);
}

std::string_view HpackWriter::Block(size_t number) {
  Known& block = blocks_[number];
  if (block.encoded_at == insertions_ && !must_empty_table_) return block.bytes;
  const uint64_t before = insertions_;
  block.bytes.clear();
  if (must_empty_table_) AppendInteger(block.bytes, 0x20, 5, 0);
  const bool repeats = !must_empty_table_;
  must_empty_table_ = false;
  for (const HeaderField& field : block.fields) AppendField(block.bytes, field);
  block.encoded_at = repeats && before == insertions_ ? insertions_ : 0;
  return block.bytes;
}

void HpackWriter::SetTableSize(uint32_t bytes) {
  size_t needed = 0;
  for (const Known& block : blocks_) needed += TableBytes(block.fields);
  if (bytes >= needed || !indexes_) return;
  indexes_ = false;
  must_empty_table_ = true;
  table_.clear();
  ++insertions_;
}

void HpackWriter::AppendField(std::string& out, const HeaderField& field) {
  for (const StaticField& known : kStaticTable) {
    if (known.name == field.name && known.value == field.value) {
      return AppendInteger(out, 0x80, 7, known.index);
    }
  }
  for (size_t i = 0; i < table_.size(); ++i) {
    if (table_[i]->name == field.name && table_[i]->value == field.value) {
      return AppendInteger(out, 0x80, 7, kStaticFields + table_.size() - i);
    }
  }
  AppendLiteral(out, field);
}

void HpackWriter::AppendLiteral(std::string& out, const HeaderField& field) {
  const auto* known = std::find_if(std::begin(kStaticTable),
                                   std::end(kStaticTable),
                                   [&](const StaticField& f) { return f.name == field.name; });
  const size_t name_index = known == std::end(kStaticTable) ? 0 : known->index;
  AppendInteger(out, indexes_ ? 0x40 : 0, indexes_ ? 6 : 4, name_index);
  if (name_index == 0) AppendText(out, field.name);
  AppendText(out, field.value);
  if (!indexes_) return;
  table_.push_back(&field);
  ++insertions_;
}

HpackReader::HpackReader() { TROTH_CHECK(nghttp2_hd_inflate_new(&inflater_) == 0); }

HpackReader::~HpackReader() { nghttp2_hd_inflate_del(inflater_); }

StatusOr<const HeaderFields*> HpackReader::Read(std::string_view block) {
  for (const Seen& seen : seen_) {
    if (seen.bytes == block) return &seen.fields;
  }
  last_.fields.clear();
  const auto* in = reinterpret_cast<const uint8_t*>(block.data());
  size_t left = block.size();
  for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
    nghttp2_nv nv;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &nv, &flags, in, left, 1);
    if (used < 0) {
      return InvalidArgument(
          Cat("a header block cannot be read: ", nghttp2_strerror(static_cast<int>(used))));
    }
    in += used;
    left -= static_cast<size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      last_.fields.push_back({.name = {reinterpret_cast<const char*>(nv.name), nv.namelen},
                              .value = {reinterpret_cast<const char*>(nv.value), nv.valuelen}});
    }
  }
  nghttp2_hd_inflate_end_headers(inflater_);
  if (!OnlyIndices(block)) {
    seen_.clear();
  } else if (seen_.size() < kSeenMax) {
    seen_.push_back({.bytes = std::string(block), .fields = last_.fields});
  }
  return &last_.fields;
}

const std::string* FindField(const HeaderFields& fields, std::string_view name) {
  for (const HeaderField& field : fields) {
    if (field.name == name) return &field.value;
  }
  return nullptr;
}

}  // namespace troth::bench
