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
    Add(DueScore()).Add(txn_.gid).Add(WireName(txn_.status));
    AddGlobal();
    Add(Cat(txn_.branches.size()));
    AddNewBranches(0);
    if (IsFinal(txn_.status)) to_.alone = true;
    return Finish();
  }

  ScriptArguments OfChange(std::string_view expected_owner) {
    Add(txn_.gid).Add(DueScore()).Add(WireName(txn_.status)).Add(WireName(save_.expected_status));
    const size_t after_owner = AddGlobal();
    AddExpectedOwner(expected_owner, after_owner);
    Add(Cat(save_.branches_from));
    AddChangedBranches();
    Add(Cat(txn_.branches.size() - save_.branches_from));
    AddNewBranches(save_.branches_from);
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

  std::string DueScore() const { return IsFinal(txn_.status) ? "" : ScoreOf(txn_.next_cron_time); }

  // Returns how many of the record's bytes follow its owner.
  size_t AddGlobal() {
    size_t after_owner = 0;
    Counted().AddWritten([&](TextBuffer& out) { after_owner = json_.AppendGlobal(out, owner_); });
    return after_owner;
  }

  // The member, and where it stands in the record from its end: what follows it, the options, is
  // mostly as in the record that is written.
  void AddExpectedOwner(std::string_view owner, size_t after_owner) {
    if (owner.empty()) {  // no member that could be looked at
      to_.alone = true;
      Add("").Add("").Add("");
      return;
    }
    const std::string member = OwnerMember(owner);
    Add(member).Add(Cat('-', after_owner + member.size())).Add(Cat('-', after_owner + 1));
  }

  void AddNewBranches(size_t from) {
    if (txn_.branches.size() - from > kGroupedBranches) to_.alone = true;
    for (size_t i = from; i < txn_.branches.size(); ++i) AddBranch(txn_.branches[i]);
  }

  void AddChangedBranches() {
    const auto known = [this](uint32_t row) { return row < save_.branches_from; };
    const auto count = std::ranges::count_if(save_.rows_changed, known);
    if (static_cast<size_t>(count) > kGroupedBranches) to_.alone = true;
    Add(Cat(count));
    for (const uint32_t row : save_.rows_changed) {
      if (!known(row)) continue;
      Add(Cat(row));
      Add(Cat(AddBranch(txn_.branches[row])));
    }
  }

  // Returns how long it was when it was created.
  size_t AddBranch(const Branch& branch) {
    size_t created_size = 0;
    Counted().AddWritten([&](TextBuffer& out) { created_size = json_.AppendBranch(out, branch); });
    return created_size;
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
