#include "store/record.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "store/coding.h"

namespace troth {
namespace {

using coding::PutByte;
using coding::PutSigned;
using coding::PutText;
using coding::PutVarint;
using coding::Reader;

// The first byte of each part. A change that older servers would misread gets the next number; they
// then refuse the record instead of acting on half of it.
constexpr uint8_t kFormat = 1;
constexpr uint8_t kFormatWithAttempts = 2;  // a state that has any
constexpr uint8_t kFormatNewest = kFormatWithAttempts;

// Room for a part's numbers and lengths, so that it is allocated once.
constexpr size_t kNumbersBytes = 96;
constexpr size_t kBranchNumbersBytes = 16;

// --- small pieces --------------------------------------------------------------------------------

// Times are kept as distances from the creation: two to four bytes instead of eight. Arithmetic is
// unsigned because damaged bytes may hold any distance.
int64_t Distance(TimePoint time, TimePoint origin) {
  return static_cast<int64_t>(static_cast<uint64_t>(ToMicros(time)) -
                              static_cast<uint64_t>(ToMicros(origin)));
}
TimePoint ReadTime(Reader& in, TimePoint origin) {
  return FromMicros(static_cast<int64_t>(static_cast<uint64_t>(ToMicros(origin)) +
                                         static_cast<uint64_t>(in.Signed())));
}

template <typename Enum>
Enum ReadEnum(Reader& in, uint8_t value, Enum last) {
  if (value > static_cast<uint8_t>(last)) in.Fail();
  return in.ok() ? static_cast<Enum>(value) : Enum{};
}

// An index into the payloads, or none.
void PutPayloadIndex(std::string& out, uint32_t index) {
  PutVarint(out, index == kNoPayload ? 0 : uint64_t{index} + 1);
}
uint32_t ReadPayloadIndex(Reader& in) {
  const uint64_t value = in.Varint();
  if (value == 0) return kNoPayload;
  if (value > kNoPayload) in.Fail();
  return static_cast<uint32_t>(value - 1);
}

uint32_t ReadUint32(Reader& in) {
  const uint64_t value = in.Varint();
  if (value > UINT32_MAX) in.Fail();
  return static_cast<uint32_t>(value);
}

void PutPairs(std::string& out, const StringPairs& pairs) {
  PutVarint(out, pairs.size());
  for (const auto& [name, value] : pairs) {
    PutText(out, name);
    PutText(out, value);
  }
}
StringPairs ReadPairs(Reader& in) {
  StringPairs pairs(in.Count(2));
  for (auto& [name, value] : pairs) {
    name = in.Text();
    value = in.Text();
  }
  return pairs;
}
size_t PairsBytes(const StringPairs& pairs) {
  size_t bytes = 0;
  for (const auto& [name, value] : pairs) bytes += name.size() + value.size() + 4;
  return bytes;
}

// --- the fixed part ------------------------------------------------------------------------------

constexpr uint8_t kWaitResult = 1, kConcurrent = 2, kSagaConcurrent = 4, kFixedFlags = 7;

void PutOptions(std::string& out, const TransOptions& options) {
  PutSigned(out, options.timeout_to_fail);
  PutSigned(out, options.request_timeout);
  PutSigned(out, options.retry_interval);
  PutSigned(out, options.retry_limit);
  PutSigned(out, options.retry_count);
  PutPairs(out, options.branch_headers);
}
void ReadOptions(Reader& in, TransOptions& options) {
  options.timeout_to_fail = in.Signed();
  options.request_timeout = in.Signed();
  options.retry_interval = in.Signed();
  options.retry_limit = in.Signed();
  options.retry_count = in.Signed();
  options.branch_headers = ReadPairs(in);
}

void PutOrders(std::string& out, const std::vector<StepOrder>& orders) {
  PutVarint(out, orders.size());
  for (const StepOrder& order : orders) {
    PutVarint(out, order.step);
    PutVarint(out, order.after.size());
    for (const uint32_t step : order.after) PutVarint(out, step);
  }
}
std::vector<StepOrder> ReadOrders(Reader& in) {
  std::vector<StepOrder> orders(in.Count(2));
  for (StepOrder& order : orders) {
    order.step = ReadUint32(in);
    order.after.resize(in.Count(1));
    for (uint32_t& step : order.after) step = ReadUint32(in);
  }
  return orders;
}

size_t FixedBytes(const Transaction& txn) {
  size_t bytes = kNumbersBytes + txn.query_prepared.size() + txn.custom_data.size() +
                 txn.ext_data.size() + txn.workflow_name.size() + PairsBytes(txn.ext_headers) +
                 PairsBytes(txn.options.branch_headers);
  for (const StepOrder& order : txn.saga_orders) bytes += 4 + 2 * order.after.size();
  return bytes;
}

std::string EncodeFixed(const Transaction& txn) {
  std::string out;
  out.reserve(FixedBytes(txn));
  PutByte(out, kFormat);
  PutByte(out, static_cast<uint8_t>(txn.type));
  PutByte(out, static_cast<uint8_t>(txn.protocol));
  PutByte(out,
          static_cast<uint8_t>((txn.options.wait_result ? kWaitResult : 0) |
                               (txn.options.concurrent ? kConcurrent : 0) |
                               (txn.saga_concurrent ? kSagaConcurrent : 0)));
  PutSigned(out, ToMicros(txn.create_time));
  PutOptions(out, txn.options);
  PutText(out, txn.query_prepared);
  PutText(out, txn.custom_data);
  PutText(out, txn.ext_data);
  PutPairs(out, txn.ext_headers);
  PutOrders(out, txn.saga_orders);
  PutSigned(out, txn.msg_delay);
  PutText(out, txn.workflow_name);
  PutPayloadIndex(out, txn.workflow_input);
  return out;
}

void ReadFixed(Reader& in, Transaction& txn) {
  txn.type = ReadEnum(in, in.Byte(), TransType::kWorkflow);
  txn.protocol = ReadEnum(in, in.Byte(), Protocol::kJsonRpc);
  const uint8_t flags = in.Byte();
  if (flags > kFixedFlags) in.Fail();
  txn.options.wait_result = (flags & kWaitResult) != 0;
  txn.options.concurrent = (flags & kConcurrent) != 0;
  txn.saga_concurrent = (flags & kSagaConcurrent) != 0;
  txn.create_time = FromMicros(in.Signed());
  ReadOptions(in, txn.options);
  txn.query_prepared = in.Text();
  txn.custom_data = in.Text();
  txn.ext_data = in.Text();
  txn.ext_headers = ReadPairs(in);
  txn.saga_orders = ReadOrders(in);
  txn.msg_delay = in.Signed();
  txn.workflow_name = in.Text();
  txn.workflow_input = ReadPayloadIndex(in);
}

// --- pages ---------------------------------------------------------------------------------------

size_t PageBytes(const Save& save) {
  const Transaction& txn = *save.txn;
  size_t bytes = kNumbersBytes;
  for (size_t i = save.branches_from; i < txn.branches.size(); ++i) {
    bytes += kBranchNumbersBytes + txn.branches[i].branch_id.size() + txn.branches[i].url.size();
  }
  for (size_t i = save.payloads_from; i < txn.payloads.size(); ++i) {
    bytes += coding::kVarintBytesMax + txn.payloads[i].size();
  }
  return bytes;
}

// What was appended since the last save. It says where it belongs, so that a lost page is noticed.
std::string EncodePage(const Save& save) {
  const Transaction& txn = *save.txn;
  std::string out;
  out.reserve(PageBytes(save));
  PutByte(out, kFormat);
  PutVarint(out, save.branches_from);
  PutVarint(out, save.payloads_from);
  PutVarint(out, txn.branches.size() - save.branches_from);
  for (size_t i = save.branches_from; i < txn.branches.size(); ++i) {
    const Branch& branch = txn.branches[i];
    PutText(out, branch.branch_id);
    PutByte(out, static_cast<uint8_t>(branch.op));
    PutText(out, branch.url);
    PutPayloadIndex(out, branch.payload);
    PutSigned(out, Distance(branch.create_time, txn.create_time));
  }
  PutVarint(out, txn.payloads.size() - save.payloads_from);
  for (size_t i = save.payloads_from; i < txn.payloads.size(); ++i) PutText(out, txn.payloads[i]);
  return out;
}

void ReadPage(Reader& in, Transaction& txn) {
  constexpr size_t kBranchBytesMin = 5;
  if (in.Varint() != txn.branches.size() || in.Varint() != txn.payloads.size()) in.Fail();
  const size_t branches = in.Count(kBranchBytesMin);
  txn.branches.reserve(txn.branches.size() + branches);
  for (size_t i = 0; i < branches; ++i) {
    Branch& branch = txn.branches.emplace_back();
    branch.branch_id = in.Text();
    branch.op = ReadEnum(in, in.Byte(), BranchOp::kBusiness);
    branch.url = in.Text();
    branch.payload = ReadPayloadIndex(in);
    branch.create_time = ReadTime(in, txn.create_time);
  }
  const size_t payloads = in.Count(1);
  txn.payloads.reserve(txn.payloads.size() + payloads);
  for (size_t i = 0; i < payloads; ++i) txn.payloads.emplace_back(in.Text());
}

// --- the state -----------------------------------------------------------------------------------

constexpr uint8_t kStatusBits = 7, kLeased = 8, kHasFinish = 16, kHasRollback = 32,
                  kHasAttempts = 64, kStateFlags = 127;
// A branch that nothing happened to takes one byte, which matters with 10,000 of them.
constexpr uint8_t kBranchStatusBits = 3, kUntouched = 4, kFinishIsUpdate = 8, kFinishFollows = 16,
                  kBranchFlags = 31;

void PutBranchState(std::string& out, const Branch& branch, TimePoint origin) {
  const bool untouched = branch.update_time == branch.create_time;
  const bool finish_is_update = branch.finish_time && *branch.finish_time == branch.update_time;
  const bool finish_follows = branch.finish_time && !finish_is_update;
  PutByte(out,
          static_cast<uint8_t>(static_cast<uint8_t>(branch.status) | (untouched ? kUntouched : 0) |
                               (finish_is_update ? kFinishIsUpdate : 0) |
                               (finish_follows ? kFinishFollows : 0)));
  if (!untouched) PutSigned(out, Distance(branch.update_time, origin));
  if (finish_follows) PutSigned(out, Distance(*branch.finish_time, origin));
}
void ReadBranchState(Reader& in, Branch& branch, TimePoint origin) {
  const uint8_t flags = in.Byte();
  if (flags > kBranchFlags) in.Fail();
  branch.status = ReadEnum(in, flags & kBranchStatusBits, BranchStatus::kFailed);
  const bool untouched = (flags & kUntouched) != 0;
  branch.update_time = untouched ? branch.create_time : ReadTime(in, origin);
  if ((flags & kFinishIsUpdate) != 0) branch.finish_time = branch.update_time;
  if ((flags & kFinishFollows) != 0) branch.finish_time = ReadTime(in, origin);
}

constexpr uint8_t kOutcomeBits = 3, kHasNextTry = 4, kHeldBack = 8, kAttemptFlags = 15;

size_t AttemptsBytes(const Transaction& txn) {
  constexpr size_t kAttemptNumbersBytes = 24;
  size_t bytes = 0;
  for (const Attempt& attempt : txn.attempts) bytes += kAttemptNumbersBytes + attempt.error.size();
  return bytes;
}

void PutAttempts(std::string& out, const Transaction& txn) {
  PutVarint(out, txn.attempts.size());
  for (const Attempt& attempt : txn.attempts) {
    PutByte(out,
            static_cast<uint8_t>(static_cast<uint8_t>(attempt.outcome) |
                                 (attempt.next_try ? kHasNextTry : 0) |
                                 (attempt.held_back ? kHeldBack : 0)));
    PutVarint(out, attempt.row == kCallbackAttempt ? 0 : uint64_t{attempt.row} + 1);
    PutSigned(out, Distance(attempt.time, txn.create_time));
    PutSigned(out, attempt.latency.count());
    PutText(out, attempt.error);
    if (attempt.next_try) PutSigned(out, Distance(*attempt.next_try, txn.create_time));
  }
}

void ReadAttempts(Reader& in, Transaction& txn) {
  constexpr size_t kAttemptBytesMin = 5;
  txn.attempts.resize(in.Count(kAttemptBytesMin));
  for (Attempt& attempt : txn.attempts) {
    const uint8_t flags = in.Byte();
    if (flags > kAttemptFlags) in.Fail();
    attempt.outcome = static_cast<BranchOutcome>(flags & kOutcomeBits);
    attempt.held_back = (flags & kHeldBack) != 0;
    const uint64_t row = in.Varint();
    if (row > txn.branches.size()) in.Fail();
    attempt.row = row == 0 ? kCallbackAttempt : static_cast<uint32_t>(row - 1);
    attempt.time = ReadTime(in, txn.create_time);
    attempt.latency = Duration(in.Signed());
    attempt.error = in.Text();
    if ((flags & kHasNextTry) != 0) attempt.next_try = ReadTime(in, txn.create_time);
  }
}

std::string EncodeState(const Transaction& txn) {
  const bool attempts = !txn.attempts.empty();
  std::string out;
  out.reserve(kNumbersBytes + txn.result.size() + txn.rollback_reason.size() + txn.owner.size() +
              kBranchNumbersBytes * txn.branches.size() + AttemptsBytes(txn));
  PutByte(out, attempts ? kFormatWithAttempts : kFormat);
  PutByte(
      out,
      static_cast<uint8_t>(static_cast<uint8_t>(txn.status) | (txn.leased ? kLeased : 0) |
                           (txn.finish_time ? kHasFinish : 0) |
                           (txn.rollback_time ? kHasRollback : 0) | (attempts ? kHasAttempts : 0)));
  PutVarint(out, txn.pages);
  PutSigned(out, Distance(txn.update_time, txn.create_time));
  if (txn.finish_time) PutSigned(out, Distance(*txn.finish_time, txn.create_time));
  if (txn.rollback_time) PutSigned(out, Distance(*txn.rollback_time, txn.create_time));
  PutText(out, txn.result);
  PutText(out, txn.rollback_reason);
  PutSigned(out, txn.retry_count);
  PutSigned(out, txn.next_cron_interval);
  PutSigned(out, Distance(txn.next_cron_time, txn.create_time));
  PutText(out, txn.owner);
  PutVarint(out, txn.payloads.size());
  PutVarint(out, txn.branches.size());
  for (const Branch& branch : txn.branches) PutBranchState(out, branch, txn.create_time);
  if (attempts) PutAttempts(out, txn);
  return out;
}

void ReadState(Reader& in, Transaction& txn) {
  const uint8_t flags = in.Byte();
  if (flags > kStateFlags) in.Fail();
  txn.status = ReadEnum(in, flags & kStatusBits, TransStatus::kFailed);
  txn.leased = (flags & kLeased) != 0;
  txn.pages = ReadUint32(in);
  txn.update_time = ReadTime(in, txn.create_time);
  if ((flags & kHasFinish) != 0) txn.finish_time = ReadTime(in, txn.create_time);
  if ((flags & kHasRollback) != 0) txn.rollback_time = ReadTime(in, txn.create_time);
  txn.result = in.Text();
  txn.rollback_reason = in.Text();
  txn.retry_count = in.Signed();
  txn.next_cron_interval = in.Signed();
  txn.next_cron_time = ReadTime(in, txn.create_time);
  txn.owner = in.Text();
  // A lost page shows here.
  if (in.Varint() != txn.payloads.size() || in.Varint() != txn.branches.size()) in.Fail();
  if (!in.ok()) return;
  for (Branch& branch : txn.branches) ReadBranchState(in, branch, txn.create_time);
  if ((flags & kHasAttempts) != 0) ReadAttempts(in, txn);
}

// --- all together --------------------------------------------------------------------------------

// Every index that other code follows without a check.
bool PayloadIndexesAreValid(const Transaction& txn) {
  const auto valid = [&](uint32_t index) {
    return index == kNoPayload || index < txn.payloads.size();
  };
  if (!valid(txn.workflow_input)) return false;
  for (const Branch& branch : txn.branches) {
    if (!valid(branch.payload)) return false;
  }
  return true;
}

Status Damaged(const StoredRecord& record, std::string_view part) {
  return DataLoss(Cat("the ",
                      part,
                      " of transaction ",
                      record.gid,
                      " (version ",
                      record.version,
                      ") is damaged: restore the store from a backup"));
}

template <typename Read>
Status DecodePart(const StoredRecord& record,
                  std::string_view part,
                  std::string_view bytes,
                  Transaction& txn,
                  Read read) {
  Reader in(bytes);
  const uint8_t format = in.Byte();
  if (in.ok() && format > kFormatNewest) {
    return DataLoss(Cat("the ",
                        part,
                        " of transaction ",
                        record.gid,
                        " has format ",
                        format,
                        ", this server knows formats up to ",
                        kFormatNewest,
                        ": run the newer version that wrote it"));
  }
  if (format == 0) in.Fail();
  read(in, txn);
  return in.Finished() ? OkStatus() : Damaged(record, part);
}

RecordIndex IndexOf(const Transaction& txn) {
  return {.type = txn.type,
          .status = txn.status,
          .leased = txn.leased,
          .waits_for_retry = WaitsForRetry(txn),
          .create_time = txn.create_time,
          .update_time = txn.update_time,
          .due = txn.next_cron_time};
}

}  // namespace

SaveRecord EncodeSave(const Save& save) {
  const Transaction& txn = *save.txn;
  SaveRecord record;
  record.gid = txn.gid;
  record.expected_version = save.expected_version;
  record.version = txn.version;
  record.index = IndexOf(txn);
  if (save.fixed_part_changed) record.fixed = EncodeFixed(txn);
  if (save.branches_from < txn.branches.size() || save.payloads_from < txn.payloads.size()) {
    record.page = EncodePage(save);
    record.page_number = save.page_number;
  }
  record.state = EncodeState(txn);
  return record;
}

StatusOr<std::unique_ptr<Transaction>> DecodeTransaction(const StoredRecord& record) {
  auto txn = std::make_unique<Transaction>();
  txn->gid = record.gid;
  TROTH_RETURN_IF_ERROR(DecodePart(record, "fixed part", record.fixed, *txn, ReadFixed));
  for (const std::string& page : record.pages) {
    TROTH_RETURN_IF_ERROR(DecodePart(record, "list of branches", page, *txn, ReadPage));
  }
  TROTH_RETURN_IF_ERROR(DecodePart(record, "state", record.state, *txn, ReadState));
  if (!PayloadIndexesAreValid(*txn)) return Damaged(record, "list of branches");
  txn->version = record.version;
  if (record.due) txn->next_cron_time = *record.due;
  return txn;
}

SaveRecord Store::Encode(const Save& save) const { return EncodeSave(save); }

StatusOr<std::unique_ptr<Transaction>> Store::Decode(const StoredRecord& record) const {
  return DecodeTransaction(record);
}

}  // namespace troth
