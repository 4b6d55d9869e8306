#include "store/rocksdb_layout.h"

#include "store/coding.h"

namespace troth::rocksdb_layout {
namespace {

using coding::PutByte;
using coding::PutSigned;
using coding::PutText;
using coding::PutVarint;
using coding::Reader;

constexpr uint8_t kRowFormat = 1;
constexpr uint8_t kLeased = 1, kHasParts = 2, kDueWasReset = 4, kWaitsForRetry = 8, kRowFlags = 15;
constexpr char kKvPrefix = 'v';

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

// Times are kept as distances from the sequence, which is about the creation time.
void PutTime(std::string& out, TimePoint time, uint64_t sequence) {
  PutSigned(out, static_cast<int64_t>(static_cast<uint64_t>(ToMicros(time)) - sequence));
}
TimePoint ReadTime(Reader& in, uint64_t sequence) {
  return FromMicros(static_cast<int64_t>(static_cast<uint64_t>(in.Signed()) + sequence));
}

}  // namespace

uint64_t SequenceOf(std::string_view key) {
  return key.size() < 8 ? 0 : BigEndian(key.substr(0, 8));
}

bool HasPartNumber(std::string_view key, uint32_t* number) {
  if (key.size() != 12) return false;
  *number = static_cast<uint32_t>(BigEndian(key.substr(8)));
  return true;
}

void AppendRow(std::string& out, uint64_t sequence, const Row& row) {
  PutByte(out, kRowFormat);
  PutByte(out, static_cast<uint8_t>(row.index.type));
  PutByte(out, static_cast<uint8_t>(row.index.status));
  PutByte(out,
          static_cast<uint8_t>((row.index.leased ? kLeased : 0) | (row.has_parts ? kHasParts : 0) |
                               (row.due_was_reset ? kDueWasReset : 0) |
                               (row.index.waits_for_retry ? kWaitsForRetry : 0)));
  PutVarint(out, row.version);
  PutTime(out, row.index.create_time, sequence);
  PutTime(out, row.index.update_time, sequence);
  PutTime(out, row.index.due, sequence);
  PutText(out, row.gid);
  out.append(row.state);
}

bool DecodeRow(uint64_t sequence, std::string_view bytes, Row* row) {
  Reader in(bytes);
  const uint8_t format = in.Byte();
  const uint8_t type = in.Byte();
  const uint8_t status = in.Byte();
  const uint8_t flags = in.Byte();
  row->version = in.Varint();
  row->index.type = static_cast<TransType>(type);
  row->index.status = static_cast<TransStatus>(status);
  row->index.leased = (flags & kLeased) != 0;
  row->index.waits_for_retry = (flags & kWaitsForRetry) != 0;
  row->has_parts = (flags & kHasParts) != 0;
  row->due_was_reset = (flags & kDueWasReset) != 0;
  row->index.create_time = ReadTime(in, sequence);
  row->index.update_time = ReadTime(in, sequence);
  row->index.due = ReadTime(in, sequence);
  row->gid = in.Text();
  row->state = in.rest();
  return in.ok() && format == kRowFormat && flags <= kRowFlags &&
         type <= static_cast<uint8_t>(TransType::kWorkflow) &&
         status <= static_cast<uint8_t>(TransStatus::kFailed);
}

void AppendNumber(std::string& out, uint64_t number) { PutVarint(out, number); }

bool DecodeNumber(std::string_view bytes, uint64_t* number) {
  Reader in(bytes);
  *number = in.Varint();
  return in.Finished();
}

void AppendFixedSize(std::string& out, size_t fixed_size) { PutVarint(out, fixed_size); }

bool SplitDocument(std::string_view bytes, std::string_view* fixed, std::string_view* page) {
  Reader in(bytes);
  *fixed = in.Text();
  *page = in.rest();
  return in.ok();
}

// The category's length comes first, so that "topic" is no prefix of "topics".
std::string KvPrefix(std::string_view category) {
  std::string prefix(1, kKvPrefix);
  if (!category.empty()) PutText(prefix, category);
  return prefix;
}

std::string KvKey(std::string_view category, std::string_view key) {
  std::string bytes(1, kKvPrefix);
  PutText(bytes, category);
  bytes.append(key);
  return bytes;
}

std::string EncodeKv(const KvRecord& record) {
  std::string bytes;
  PutByte(bytes, kRowFormat);
  PutVarint(bytes, record.id);
  PutVarint(bytes, record.version);
  PutSigned(bytes, ToMicros(record.create_time));
  PutSigned(bytes, ToMicros(record.update_time));
  bytes.append(record.value);
  return bytes;
}

bool DecodeKv(std::string_view key, std::string_view value, KvRecord* record) {
  Reader name(key.substr(1));
  record->category = name.Text();
  record->key = name.rest();
  Reader in(value);
  const uint8_t format = in.Byte();
  record->id = in.Varint();
  record->version = in.Varint();
  record->create_time = FromMicros(in.Signed());
  record->update_time = FromMicros(in.Signed());
  record->value = in.rest();
  return name.ok() && in.ok() && format == kRowFormat;
}

}  // namespace troth::rocksdb_layout
