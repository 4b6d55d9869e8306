#include "engine/engine_script_test_util.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace troth {
namespace {

constexpr uint64_t kSeed = 7;

// One letter a row, as the conformance checklist writes them.
std::string Rows(const Transaction& txn) {
  std::string rows;
  for (const Branch& branch : txn.branches) {
    rows += branch.status == BranchStatus::kPrepared    ? 'P'
            : branch.status == BranchStatus::kSucceeded ? 'S'
                                                        : 'F';
  }
  return rows.empty() ? "-" : rows;
}

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) c == '\n' ? line += "\\n" : line += c;
  return line;
}

std::string_view CodeName(ReplyCode code) {
  switch (code) {
    case ReplyCode::kOk: return "ok";
    case ReplyCode::kFailure: return "failure";
    case ReplyCode::kOngoing: return "ongoing";
    case ReplyCode::kError: return "error";
    case ReplyCode::kInternal: return "internal";
    case ReplyCode::kOverloaded: return "overloaded";
    case ReplyCode::kUnavailable: return "unavailable";
  }
  return "?";
}

}  // namespace

EngineScript::EngineScript(EngineOptions options)
    : options_(options), engine_(std::make_unique<Engine>(options, kSeed)) {}

// --- Events

ReplyToken EngineScript::Send(Request request) {
  request.token = ++tokens_;
  asked_[tokens_] = request.draft.gid;
  Step(std::make_unique<Request>(std::move(request)));
  return tokens_;
}

void EngineScript::Saved(const std::string& gid) {
  TROTH_CHECK(saves_.contains(gid));
  OpenSave& save = saves_.at(gid);
  if (save.written) return AnswerSave(gid, SaveResult::kStored, "");
  if (!SaveFollows(gid)) return AnswerSave(gid, SaveResult::kConflict, "");
  Write(gid, save);
  AnswerSave(gid, SaveResult::kStored, "");
}

bool EngineScript::SaveFollows(const std::string& gid) const {
  const auto stored = store_.find(gid);
  const uint64_t version = stored == store_.end() ? 0 : stored->second.version;
  return saves_.at(gid).expected == version;
}

void EngineScript::Written(const std::string& gid) {
  TROTH_CHECK(saves_.contains(gid));
  Write(gid, saves_.at(gid));
  saves_.at(gid).written = true;
}

void EngineScript::Conflict(const std::string& gid) { AnswerSave(gid, SaveResult::kConflict, ""); }

void EngineScript::Refused(const std::string& gid) {
  AnswerSave(gid, SaveResult::kRefused, "url is too long for the store");
}

void EngineScript::Unknown(const std::string& gid, bool stored) {
  TROTH_CHECK(saves_.contains(gid));
  if (stored) Write(gid, saves_.at(gid));
  AnswerSave(gid, SaveResult::kUnknown, "disk full");
}

void EngineScript::AnswerSave(const std::string& gid, SaveResult result, std::string error) {
  TROTH_CHECK(saves_.contains(gid));
  const OpenSave save = std::move(saves_.extract(gid).mapped());
  Step(SaveDone{save.id, save.txn.version, result, std::move(error)});
}

void EngineScript::Write(const std::string& gid, OpenSave& save) {
  if (store_.contains(gid)) CheckMove(store_.at(gid), save.txn);
  store_[gid] = save.txn;
  due_[gid] = save.txn.next_cron_time;
}

void EngineScript::Loaded(const std::string& gid) {
  TROTH_CHECK(loads_.contains(gid));
  LoadDone done;
  done.id = loads_.extract(gid).mapped();
  if (const auto stored = store_.find(gid); stored != store_.end()) {
    done.status = LoadStatus::kFound;
    done.txn = std::make_unique<Transaction>(stored->second);
  }
  Step(std::move(done));
}

void EngineScript::LoadFailed(const std::string& gid, std::string error) {
  TROTH_CHECK(loads_.contains(gid));
  Step(LoadDone{loads_.extract(gid).mapped(), LoadStatus::kFailed, nullptr, std::move(error)});
}

void EngineScript::Done(const std::string& gid,
                        std::string_view branch_id,
                        BranchOp op,
                        CallResult result) {
  const auto call = std::find_if(calls_.begin(), calls_.end(), [&](const OpenCall& open) {
    return open.gid == gid && open.branch_id == branch_id && open.op == op;
  });
  TROTH_CHECK(call != calls_.end());
  const OpenCall open = *call;
  calls_.erase(call);
  Step(CallDone{open.id, open.call, std::move(result)});
}

void EngineScript::AskClaim(const std::string& gid) {
  // A shared store's claim lasts one retry interval and is not a new version.
  due_[gid] = now_ + options_.retry_interval;
  claims_[gid] = {std::make_unique<Transaction>(store_.at(gid)), due_[gid], engine_->forgotten()};
}

void EngineScript::Claim(const std::string& gid) {
  if (!claims_.contains(gid)) AskClaim(gid);
  Step(std::move(claims_.extract(gid).mapped()));
}

void EngineScript::Crash() {
  engine_ = std::make_unique<Engine>(options_, kSeed);
  asked_.clear();
  saves_.clear();
  loads_.clear();
  claims_.clear();
  calls_.clear();
  for (const auto& [gid, txn] : store_) {
    if (txn.leased) due_[gid] = now_;
  }
}

void EngineScript::HandBack() { Step(troth::HandBack{}); }

void EngineScript::Advance(Duration duration) {
  const TimePoint end = now_ + duration;
  for (;;) {
    while (auto_claim && ClaimDueOnce()) {
    }
    const std::optional<TimePoint> next = NextHappening();
    if (!next || *next > end) break;
    now_ = std::max(now_, *next);  // what had to wait for a save may be due since
    Step(Tick{});
    if (engine_->NextDeadline() && *engine_->NextDeadline() <= now_) {
      Breach("a tick leaves its deadline");
      break;
    }
  }
  now_ = end;
}

// The next deadline or claim.
std::optional<TimePoint> EngineScript::NextHappening() const {
  std::optional<TimePoint> next = engine_->NextDeadline();
  if (!auto_claim || engine_->room() == 0) return next;
  for (const auto& [gid, txn] : store_) {
    if (IsFinal(txn.status)) continue;
    const TimePoint due = due_.at(gid);
    if (!next || due < *next) next = due;
  }
  return next;
}

bool EngineScript::ClaimDueOnce() {
  for (const auto& [gid, txn] : store_) {
    if (IsFinal(txn.status) || due_.at(gid) > now_ || engine_->room() == 0) continue;
    Claim(std::string(gid));
    return true;
  }
  return false;
}

bool EngineScript::AnswerStoreOnce() {
  if (!saves_.empty()) return Saved(std::string(saves_.begin()->first)), true;
  if (!loads_.empty()) return Loaded(std::string(loads_.begin()->first)), true;
  return false;
}

void EngineScript::Step(Event event) {
  StepOnce(std::move(event));
  while (auto_store && AnswerStoreOnce()) {
  }
}

void EngineScript::StepOnce(Event event) {
  Actions actions;
  engine_->Step(now_, std::move(event), actions);
  for (const Action& action : actions) {
    std::visit([this](const auto& seen) { See(seen); }, action);
  }
}

// --- Actions

namespace {

template <typename Value>
std::vector<std::string> Keys(const std::map<std::string, Value>& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

}  // namespace

std::vector<std::string> EngineScript::open_saves() const { return Keys(saves_); }
std::vector<std::string> EngineScript::open_loads() const { return Keys(loads_); }

std::vector<std::string> EngineScript::Take() { return std::exchange(lines_, {}); }

void EngineScript::See(const Save& save) {
  const Transaction& txn = *save.txn;
  if (saves_.contains(txn.gid)) Breach("two open saves of one transaction");
  if (txn.version != save.expected_version + 1) Breach("a save skips versions");
  const auto stored = store_.find(txn.gid);
  const bool follows = stored != store_.end() && stored->second.version == save.expected_version;
  CheckParts(save, follows ? &stored->second : nullptr);
  saves_[txn.gid] = {save.id, save.expected_version, false, txn};
  Print(Cat("save ", Describe(txn), save.fixed_part_changed && follows ? " merged" : ""));
}

// What is not in the save must be in the store already.
void EngineScript::CheckParts(const Save& save, const Transaction* before) {
  const Transaction& txn = *save.txn;
  if (save.expected_version == 0) {
    if (save.branches_from != 0 || save.payloads_from != 0) Breach("a creation leaves rows out");
    if (!save.fixed_part_changed) Breach("a creation leaves the fixed part out");
  }
  if (before == nullptr) return;
  if (save.branches_from != before->branches.size()) Breach("branches_from is not what is stored");
  if (save.payloads_from != before->payloads.size()) Breach("payloads_from is not what is stored");
  const bool appends =
      txn.branches.size() > save.branches_from || txn.payloads.size() > save.payloads_from;
  if (txn.pages != before->pages + (appends ? 1 : 0)) Breach("pages are not counted right");
  if (appends && save.page_number != before->pages) Breach("a page number leaves a gap");
}

void EngineScript::CheckMove(const Transaction& before, const Transaction& after) {
  if (before.status != after.status && !MayFollow(before.status, after.status)) {
    Breach(Cat("from ", WireName(before.status), " to ", WireName(after.status)));
  }
  if (IsFinal(before.status)) Breach("a finished transaction was saved again");
}

void EngineScript::See(const Load& load) {
  loads_[load.gid] = load.id;
  Print(Cat("load ", load.gid));
}

void EngineScript::See(const Call& call) {
  const std::string& gid = call.txn->gid;
  if (saves_.contains(gid) && saves_.at(gid).txn.status != call.txn->status) {
    Breach("a call does not wait for a decision's save");
  }
  const auto stored = store_.find(gid);
  if (stored == store_.end() || stored->second.status != call.txn->status) {
    Breach("a call of a status that is not durable");
  }
  calls_.push_back({gid, std::string(call.branch_id), call.op, call.id, call.call});
  if (on_call) on_call(calls_.back());
  Print(Cat("call ",
            gid,
            "/",
            call.branch_id,
            " ",
            WireName(call.op),
            " ",
            call.url,
            call.payload.empty() ? "" : " ",
            call.payload));
}

void EngineScript::See(const Reply& reply) {
  const auto asked = asked_.extract(reply.token);
  if (asked.empty()) return Breach("a request is answered twice");
  if (reply.code == ReplyCode::kOk && !store_.contains(asked.mapped())) {
    Breach("an ok for what is not durable");
  }
  if (reply.txn != nullptr) {
    const auto stored = store_.find(reply.txn->gid);
    if (stored == store_.end() || stored->second.version != reply.txn->version) {
      Breach("a reply shows what is not durable");
    }
  }
  std::string line = Cat("reply #", reply.token, " ", CodeName(reply.code));
  if (reply.code == ReplyCode::kError) CatTo(line, "(", reply.grpc_code, ")");
  if (!reply.message.empty()) CatTo(line, ": ", OneLine(reply.message));
  if (reply.txn != nullptr) CatTo(line, " with ", Describe(*reply.txn));
  Print(std::move(line));
}

void EngineScript::See(const Alert& alert) {
  Print(Cat("alert ",
            alert.txn->gid,
            " ",
            alert.url,
            " n=",
            alert.retry_count,
            " ",
            WireName(alert.txn->status),
            ": ",
            OneLine(alert.error)));
}

void EngineScript::See(const Ended& ended) {
  const auto stored = store_.find(ended.txn->gid);
  if (stored == store_.end() || stored->second.status != ended.txn->status) {
    Breach("an end that is not durable");
  }
  Print(Cat("ended ", ended.txn->gid, " ", WireName(ended.txn->status)));
}

void EngineScript::Print(std::string line) { lines_.push_back(Cat("@", Since(now_), " ", line)); }

void EngineScript::Breach(const std::string& what) {
  breaches_.push_back(Cat("@", Since(now_), " ", what));
}

std::string EngineScript::Since(TimePoint time) const {
  const int64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(time - start_).count();
  std::string text = std::to_string(ms / 1000);
  if (ms % 1000 == 0) return text;
  std::string fraction = std::to_string(1000 + ms % 1000).substr(1);
  while (fraction.back() == '0') fraction.pop_back();
  return text + "." + fraction;
}

std::string EngineScript::Describe(const Transaction& txn) const {
  std::string text = Cat(txn.gid, " v", txn.version, " ", WireName(txn.status));
  if (!IsFinal(txn.status)) {
    CatTo(text, txn.leased ? " lease=" : " due=", Since(txn.next_cron_time));
    CatTo(text, " iv=", txn.next_cron_interval);
  }
  CatTo(text, " rows=", Rows(txn));
  if (txn.retry_count != 0) CatTo(text, " retries=", txn.retry_count);
  if (!txn.rollback_reason.empty()) CatTo(text, " reason='", txn.rollback_reason, "'");
  if (!txn.result.empty()) CatTo(text, " result='", txn.result, "'");
  return text;
}

// --- Requests and results

namespace {

Branch RowOf(std::string branch_id, BranchOp op, std::string url, uint32_t payload) {
  Branch row;
  row.branch_id = std::move(branch_id);
  row.op = op;
  row.url = std::move(url);
  row.payload = payload;
  return row;
}

}  // namespace

Request RequestOf(RequestKind kind, std::string gid, TransType type) {
  Request request;
  request.kind = kind;
  request.draft.gid = std::move(gid);
  request.draft.type = type;
  return request;
}

Request PrepareOf(std::string gid, TransType type) {
  return RequestOf(RequestKind::kPrepare, std::move(gid), type);
}

Request SubmitOf(std::string gid, TransType type, const std::vector<std::string>& urls) {
  Request request = RequestOf(RequestKind::kSubmit, std::move(gid), type);
  Transaction& draft = request.draft;
  for (const std::string& url : urls) {
    const size_t step = draft.payloads.size() + 1;
    const std::string number = Cat(step < 10 ? "0" : "", step);
    const auto payload = static_cast<uint32_t>(draft.payloads.size());
    Branch row = RowOf(number, BranchOp::kAction, url, payload);
    if (type == TransType::kSaga) {
      Branch undo = row;
      undo.op = BranchOp::kCompensate;
      if (!url.empty()) undo.url = Cat("undo-", url);
      draft.branches.push_back(std::move(undo));
    }
    draft.branches.push_back(std::move(row));
    draft.payloads.emplace_back();
  }
  return request;
}

Request RegisterOf(std::string gid, TransType type, std::string branch_id, std::string url) {
  Request request = RequestOf(RequestKind::kRegisterBranch, std::move(gid), type);
  const auto add = [&](BranchOp op, std::string_view prefix) {
    request.draft.branches.push_back(RowOf(branch_id, op, Cat(prefix, url), 0));
  };
  request.draft.payloads = {"data"};
  switch (type) {
    case TransType::kXa:
      add(BranchOp::kRollback, "");
      add(BranchOp::kCommit, "");
      break;
    case TransType::kWorkflow:
      add(BranchOp::kAction, "");
      request.draft.branches.back().status = BranchStatus::kSucceeded;
      break;
    default: add(BranchOp::kCancel, "cancel-"); add(BranchOp::kConfirm, "confirm-");
  }
  return request;
}

CallResult Succeeds() { return {BranchOutcome::kSucceeded, "", 0}; }
CallResult Fails(std::string text) { return {BranchOutcome::kFailed, std::move(text), 10}; }
CallResult Ongoing() { return {BranchOutcome::kOngoing, "ONGOING", 9}; }
CallResult Unknown(std::string text, int grpc_code) {
  return {BranchOutcome::kUnknown, std::move(text), grpc_code};
}

}  // namespace troth
