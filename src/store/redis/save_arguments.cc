#include "store/redis/save_arguments.h"

#include <algorithm>
#include <string>

#include "base/text.h"
#include "store/dtm/owner.h"
#include "store/dtm/record_json.h"
#include "store/dtm/rows.h"
#include "store/dtm/troth_state.h"
#include "store/redis/command.h"
#include "store/redis/reply_records.h"
#include "wire/json_writer.h"

namespace troth::redis {
namespace {

// What a thread keeps of its memory from one save to the next.
constexpr size_t kBytesKept = 256 << 10;

// As it stands in a record.
std::string OwnerMember(std::string_view owner) {
  std::string out = R"("owner":)";
  AppendJsonString(out, owner);
  return out;
}

// One save while its arguments are written.
class Arguments {
 public:
  Arguments(const Save& save, std::string_view token)
      : save_(save),
        txn_(*save.txn),
        owner_(dtm::OwnerText(token, txn_.version, txn_.leased)),
        json_(txn_),
        text_(TakeText()),
        writer_(text_) {}

  ScriptArguments OfCreation() {
    Add(txn_.gid);
    AddGlobal();
    AddWritten([this](TextBuffer& out) {
      AppendWord(out, WireName(txn_.status));
      out.AppendNumber(static_cast<int64_t>(txn_.branches.size()));
    });
    AddScore();
    AddNewBranches(0);
    if (IsFinal(txn_.status)) to_.alone = true;
    return Finish();
  }

  ScriptArguments OfChange(std::string_view expected_owner) {
    Add(txn_.gid);
    const size_t after_owner = AddGlobal();
    AddWritten([&](TextBuffer& out) { AppendShape(out, expected_owner, after_owner); });
    AddScore();
    AddChangedBranches();
    AddNewBranches(save_.branches_from);
    if (expected_owner.empty()) to_.alone = true;  // no member that could be looked at
    return Finish();
  }

 private:
  static TextBuffer& TakeText() {
    thread_local TextBuffer text;
    text.Clear(kBytesKept);
    return text;
  }

  ArgumentWriter& Counted() {
    ++to_.count;
    return writer_;
  }
  Arguments& Add(std::string_view argument) {
    Counted().Add(argument);
    return *this;
  }

  template <typename Append>
  void AddWritten(Append append) {
    Counted().AddWritten(append);
  }
  static void AppendWord(TextBuffer& out, std::string_view word) {
    out.Append(word);
    out.Append(' ');
  }
  static void AppendWord(TextBuffer& out, int64_t number) {
    out.AppendNumber(number);
    out.Append(' ');
  }

  // Returns how many of the record's bytes follow its owner.
  size_t AddGlobal() {
    size_t after_owner = 0;
    AddWritten([&](TextBuffer& out) { after_owner = json_.AppendGlobal(out, owner_); });
    return after_owner;
  }

  // Of a change. What follows the owner, the options, is mostly as in the record that is written.
  void AppendShape(TextBuffer& out, std::string_view owner, size_t after_owner) {
    const std::string member = owner.empty() ? "" : OwnerMember(owner);
    AppendWord(out, WireName(txn_.status));
    AppendWord(out, WireName(save_.expected_status));
    AppendWord(out, -static_cast<int64_t>(after_owner + member.size()));
    AppendWord(out, -static_cast<int64_t>(after_owner + 1));
    AppendWord(out, static_cast<int64_t>(save_.branches_from));
    AppendWord(out, static_cast<int64_t>(txn_.branches.size() - save_.branches_from));
    bool none = true;
    for (const uint32_t row : save_.rows_changed) {
      if (!IsKnown(row)) continue;
      if (!none) out.Append(',');
      out.AppendNumber(row);
      none = false;
    }
    out.Append(none ? "- " : " ");
    out.Append(member);
  }

  void AddScore() {
    if (!IsFinal(txn_.status)) Add(ScoreOf(txn_.next_cron_time));
  }

  bool IsKnown(uint32_t row) const { return row < save_.branches_from; }
  void AddChangedBranches() {
    if (save_.rows_changed.size() > kGroupedBranches) to_.alone = true;
    for (const uint32_t row : save_.rows_changed) {
      if (IsKnown(row)) AddBranch(txn_.branches[row]);
    }
  }
  void AddNewBranches(size_t from) {
    if (txn_.branches.size() - from > kGroupedBranches) to_.alone = true;
    for (size_t i = from; i < txn_.branches.size(); ++i) AddBranch(txn_.branches[i]);
  }
  void AddBranch(const Branch& branch) {
    AddWritten([&](TextBuffer& out) { json_.AppendBranch(out, branch); });
  }

  ScriptArguments Finish() {
    to_.text = text_.view();
    to_.troth_state = dtm::TrothStateJson(txn_);
    if (!to_.troth_state.empty() || to_.text.size() > kGroupBytes) to_.alone = true;
    return std::move(to_);
  }

  const Save& save_;
  const Transaction& txn_;
  const std::string owner_;
  dtm::RecordJson json_;
  TextBuffer& text_;  // the thread's; there is one save at a time
  ArgumentWriter writer_;
  ScriptArguments to_;
};

}  // namespace

SaveRecord EncodeArguments(const Save& save, std::string_view token) {
  SaveRecord record = dtm::BeginSaveRecord(save);
  Arguments arguments(save, token);
  if (save.expected_version == 0) {
    record.script = arguments.OfCreation();
  } else {
    record.script = arguments.OfChange(
        dtm::ExpectedOwner(save.txn->owner, save.expected_version, token, save.expected_leased));
  }
  return record;
}

}  // namespace troth::redis
