#include "net/http2/hpack_encoder.h"

#include <algorithm>

#include "net/http2/hpack_static_table.h"

namespace troth::net {

namespace {

// The first bits of a field and how many are left for its index (RFC 7541 section 6).
struct Form {
  uint8_t pattern;
  int bits;
};
constexpr Form kIndexed = {0x80, 7};
constexpr Form kInserted = {0x40, 6};
constexpr Form kTableSize = {0x20, 5};
constexpr Form kNeverIndexed = {0x10, 4};
constexpr Form kNotIndexed = {0x00, 4};
constexpr Form kPlainText = {0x00, 7};

// Larger fields would leave too little of the table to others.
constexpr size_t kInsertedBytesMax = kHpackTableBytesMax / 4;

void AppendNumber(Form form, uint64_t number, std::string& out) {
  const uint64_t mask = (uint64_t{1} << form.bits) - 1;
  if (number < mask) {
    out.push_back(static_cast<char>(form.pattern | number));
    return;
  }
  out.push_back(static_cast<char>(form.pattern | mask));
  for (number -= mask; number >= 128; number >>= 7) {
    out.push_back(static_cast<char>(0x80 | (number & 0x7f)));
  }
  out.push_back(static_cast<char>(number));
}

void AppendText(std::string_view text, std::string& out) {
  AppendNumber(kPlainText, text.size(), out);
  out.append(text);
}

constexpr size_t NameHash(std::string_view name) {
  return (name.size() * 3 + static_cast<uint8_t>(name.front()) +
          5 * static_cast<uint8_t>(name.back())) %
         kHpackBuckets;
}

// Tells fields apart that are sent on the same connection; cheap rather than even.
constexpr size_t FieldHash(std::string_view name, std::string_view value) {
  size_t hash = name.size() + 7 * value.size() + 3 * static_cast<uint8_t>(name.back());
  if (!value.empty()) {
    hash += 5 * static_cast<uint8_t>(value.back()) + static_cast<uint8_t>(value[value.size() / 2]);
  }
  return hash % kHpackBuckets;
}

// The static table by a hash of its fields: the first index, and from each index to the next one.
struct StaticIndex {
  std::array<uint8_t, kHpackBuckets> first{};
  std::array<uint8_t, kStaticFields.size() + 1> next{};
};

template <typename HashOf>
constexpr StaticIndex MakeStaticIndex(HashOf hash_of) {
  StaticIndex made;
  for (size_t index = kStaticFields.size(); index > 0; --index) {
    uint8_t& first = made.first[hash_of(kStaticFields[index - 1])];
    made.next[index] = first;
    first = static_cast<uint8_t>(index);
  }
  return made;
}
constexpr StaticIndex kStaticByName =
    MakeStaticIndex([](const StaticField& field) { return NameHash(field.name); });
constexpr StaticIndex kStaticByField =
    MakeStaticIndex([](const StaticField& field) { return FieldHash(field.name, field.value); });

uint64_t FindStatic(std::string_view name, std::string_view value, size_t hash) {
  for (uint8_t index = kStaticByField.first[hash]; index != 0; index = kStaticByField.next[index]) {
    const StaticField& field = kStaticFields[index - 1U];
    if (field.value == value && field.name == name) return index;
  }
  return 0;
}

uint64_t FindStaticName(std::string_view name) {
  uint8_t index = kStaticByName.first[NameHash(name)];
  while (index != 0 && kStaticFields[index - 1U].name != name) index = kStaticByName.next[index];
  return index;
}

}  // namespace

void HpackEncoder::SetPeerTableBytes(uint32_t bytes) {
  bytes_now_ = std::min(bytes, kHpackTableBytesMax);
  bytes_least_ = std::min(bytes_least_, bytes_now_);
}

void HpackEncoder::Append(std::span<const Http2Header> headers, std::string& out) {
  AppendTableSizes(out);
  for (const Http2Header& header : headers) AppendField(header, out);
}

// A table that was made small and large again in between is empty at the peer (RFC 7541
// section 4.2).
void HpackEncoder::AppendTableSizes(std::string& out) {
  for (const uint32_t bytes : {bytes_least_, bytes_now_}) {
    if (bytes == bytes_told_) continue;
    AppendNumber(kTableSize, bytes, out);
    table_.SetBytesMax(bytes);
    bytes_told_ = bytes;
  }
  bytes_least_ = bytes_now_;
}

void HpackEncoder::AppendField(const Http2Header& header, std::string& out) {
  if (header.name.empty()) return;  // no peer would take it
  const uint64_t index = header.never_index ? 0 : Find(header.name, header.value);
  if (index != 0) return AppendNumber(kIndexed, index, out);
  AppendLiteral(header, out);
}

void HpackEncoder::AppendLiteral(const Http2Header& header, std::string& out) {
  const size_t bytes = HpackTable::BytesOf(header.name, header.value);
  const bool insert =
      !header.never_index && bytes <= std::min<size_t>(kInsertedBytesMax, bytes_told_);
  const Form form = insert ? kInserted : header.never_index ? kNeverIndexed : kNotIndexed;
  const uint64_t name_index = FindStaticName(header.name);
  AppendNumber(form, name_index, out);
  if (name_index == 0) AppendText(header.name, out);
  AppendText(header.value, out);
  if (insert) Insert(header.name, header.value);
}

uint64_t HpackEncoder::Find(std::string_view name, std::string_view value) const {
  const size_t hash = FieldHash(name, value);
  if (const uint64_t index = FindStatic(name, value, hash)) return index;
  uint64_t number = newest_[hash];
  while (number != 0 && table_.Holds(number)) {
    const uint64_t age = table_.inserted() - number;
    const HpackTable::Entry& entry = table_.At(age);
    if (entry.name_size == name.size() && entry.value() == value && entry.name() == name) {
      return kStaticFields.size() + 1 + age;
    }
    number = entry.same_hash;
  }
  return 0;
}

void HpackEncoder::Insert(std::string_view name, std::string_view value) {
  HpackTable::Entry* entry = table_.Insert(name, value, FieldKind::kRegular);
  if (entry == nullptr) return;
  uint64_t& newest = newest_[FieldHash(name, value)];
  entry->same_hash = newest;
  newest = table_.inserted();
}

}  // namespace troth::net
