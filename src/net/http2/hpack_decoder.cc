#include "net/http2/hpack_decoder.h"

#include <array>

#include "net/http2/hpack_static_table.h"
#include "net/http2/huffman.h"

namespace troth::net {

namespace {

// The first bits of a field tell how it is written (RFC 7541 section 6).
constexpr uint8_t kIndexed = 0x80;
constexpr uint8_t kInserted = 0x40;
constexpr uint8_t kTableSize = 0x20;
constexpr uint8_t kHuffman = 0x80;

constexpr int kIndexedBits = 7;
constexpr int kInsertedBits = 6;
constexpr int kTableSizeBits = 5;
constexpr int kNotInsertedBits = 4;
constexpr int kTextBits = 7;

// More than any number means that can be meant seriously.
constexpr int kNumberShiftMax = 28;

const std::array<FieldKind, kStaticFields.size()>& StaticKinds() {
  static const auto kinds = [] {
    std::array<FieldKind, kStaticFields.size()> made{};
    for (size_t i = 0; i < made.size(); ++i) {
      made[i] = KindOfField(kStaticFields[i].name, kStaticFields[i].value);
    }
    return made;
  }();
  return kinds;
}

}  // namespace

void HpackDecoder::Begin(std::string_view block) {
  rest_ = block;
  if (!failed_ && !ReadTableSizes()) failed_ = true;
}

std::optional<ReceivedField> HpackDecoder::Fail() {
  failed_ = true;
  return std::nullopt;
}

std::optional<ReceivedField> HpackDecoder::Next() {
  if (failed_ || rest_.empty()) return std::nullopt;
  const auto first = static_cast<uint8_t>(rest_.front());
  if ((first & kIndexed) != 0) {
    const std::optional<uint64_t> index = ReadNumber(kIndexedBits);
    return index ? Indexed(*index) : Fail();
  }
  if ((first & kInserted) != 0) return Literal(kInsertedBits, true);
  if ((first & kTableSize) != 0) return Fail();  // only before the first field
  return Literal(kNotInsertedBits, false);
}

std::optional<ReceivedField> HpackDecoder::Indexed(uint64_t index) {
  const std::optional<ReceivedField> field = At(index);
  return field ? field : Fail();
}

std::optional<ReceivedField> HpackDecoder::At(uint64_t index) const {
  if (index == 0) return std::nullopt;
  if (index <= kStaticFields.size()) {
    const StaticField& field = kStaticFields[index - 1];
    return ReceivedField{field.name, field.value, StaticKinds()[index - 1]};
  }
  const uint64_t age = index - kStaticFields.size() - 1;
  if (age >= table_.size()) return std::nullopt;
  const HpackTable::Entry& entry = table_.At(age);
  return ReceivedField{entry.name(), entry.value(), entry.kind};
}

std::optional<ReceivedField> HpackDecoder::Literal(int index_bits, bool insert) {
  const std::optional<uint64_t> index = ReadNumber(index_bits);
  if (!index) return Fail();
  std::optional<std::string_view> name;
  if (*index == 0) {
    name = ReadText(name_);
  } else if (const std::optional<ReceivedField> known = At(*index)) {
    name = known->name;
  }
  if (!name) return Fail();
  const std::optional<std::string_view> value = ReadText(value_);
  if (!value) return Fail();
  const FieldKind kind = KindOfField(*name, *value);
  if (!insert) return ReceivedField{*name, *value, kind};
  if (HpackTable::BytesOf(*name, *value) > table_.bytes_max()) {
    name_ = std::string(*name);  // all that is in the table goes, perhaps this too
    name = name_;
  }
  const HpackTable::Entry* entry = table_.Insert(*name, *value, kind);
  if (entry == nullptr) return ReceivedField{*name, *value, kind};
  return ReceivedField{entry->name(), entry->value(), kind};
}

bool HpackDecoder::ReadTableSizes() {
  while (!rest_.empty() && (static_cast<uint8_t>(rest_.front()) & 0xe0) == kTableSize) {
    const std::optional<uint64_t> bytes = ReadNumber(kTableSizeBits);
    if (!bytes || *bytes > kHpackTableBytesMax) return false;
    table_.SetBytesMax(static_cast<uint32_t>(*bytes));
  }
  return true;
}

std::optional<uint64_t> HpackDecoder::ReadNumber(int bits) {
  const uint64_t mask = (uint64_t{1} << bits) - 1;
  uint64_t number = static_cast<uint8_t>(rest_.front()) & mask;
  rest_.remove_prefix(1);
  if (number < mask) return number;
  for (int shift = 0; shift <= kNumberShiftMax && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    number += uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80) == 0) return number;
  }
  return std::nullopt;
}

std::optional<std::string_view> HpackDecoder::ReadText(std::string& buffer) {
  if (rest_.empty()) return std::nullopt;
  const bool coded = (static_cast<uint8_t>(rest_.front()) & kHuffman) != 0;
  const std::optional<uint64_t> size = ReadNumber(kTextBits);
  if (!size || *size > rest_.size()) return std::nullopt;
  const std::string_view text = rest_.substr(0, *size);
  rest_.remove_prefix(*size);
  if (!coded) return text;
  buffer.clear();
  if (!HuffmanDecode(text, buffer)) return std::nullopt;
  return std::string_view(buffer);
}

}  // namespace troth::net
