#include "engine/engine.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "engine/engine_impl.h"
#include "engine/retry.h"

namespace troth {

// --- The public face

Engine::Engine(EngineOptions options, uint64_t seed)
    : impl_(std::make_unique<Impl>(options, seed)) {}
Engine::~Engine() = default;

void Engine::Step(TimePoint now, Event&& event, Actions& actions) {
  impl_->Step(now, std::move(event), actions);
}
void Engine::Expect(const Event& event) const {
  if (const auto* const done = std::get_if<SaveDone>(&event)) impl_->Prefetch(done->id);
}
std::optional<TimePoint> Engine::NextDeadline() const { return impl_->NextDeadline(); }
void Engine::StopStarting() { impl_->StopStarting(); }
std::optional<Engine::OpenCallView> Engine::FindCall(TxnId id, uint32_t call) const {
  return impl_->FindCall(id, call);
}
size_t Engine::busy() const { return impl_->busy(); }
size_t Engine::resident() const { return impl_->resident(); }
size_t Engine::room() const { return impl_->room(); }
const EngineCounters& Engine::counters() const { return impl_->counters(); }
uint64_t Engine::forgotten() const { return impl_->forgotten(); }

void Engine::Impl::Step(TimePoint now, Event&& event, Actions& actions) {
  now_ = now;
  actions_ = &actions;
  table_.Recycle();
  snapshots_.clear();
  std::visit([this](auto& e) { On(e); }, event);
  actions_ = nullptr;
}

std::optional<TimePoint> Engine::Impl::NextDeadline() const {
  if (deadlines_.empty() && idle_.empty()) return std::nullopt;
  if (deadlines_.empty()) return idle_.top_time();
  if (idle_.empty()) return deadlines_.top_time();
  return std::min(deadlines_.top_time(), idle_.top_time());
}

std::optional<Engine::OpenCallView> Engine::Impl::FindCall(TxnId id, uint32_t number) {
  const InFlight* t = table_.Find(id);
  if (t == nullptr) return std::nullopt;
  for (const OpenCall& call : t->calls) {
    if (call.number != number) continue;
    const bool callback = call.row == kCallbackRow;
    return OpenCallView{t->gid, callback ? t->txn.query_prepared : t->txn.branches[call.row].url};
  }
  return std::nullopt;
}

size_t Engine::Impl::room() const {
  if (stopping_ || busy() >= options_.limits.in_flight_max) return 0;
  return options_.limits.in_flight_max - busy();
}

// --- Requests

void Engine::Impl::On(RequestPtr& incoming) {
  const Request& request = *incoming;
  if (std::optional<Answer> refusal = RefuseAtOnce(request)) {
    return SendReply(request.token, std::move(*refusal), nullptr);
  }
  InFlight* t = table_.Find(request.draft.gid);
  const bool begins = t == nullptr || IsIdle(*t);
  if (begins && busy() >= options_.limits.in_flight_max) {
    return SendReply(request.token,
                     Overloaded(Cat("too many transactions in flight (",
                                    options_.limits.in_flight_max,
                                    "): try again later")),
                     nullptr);
  }
  if (t == nullptr) t = &table_.Add(request.draft.gid);
  if (t->queue.size() >= options_.limits.waiting_requests_max) {
    return SendReply(
        request.token,
        Overloaded(Cat("too many requests wait for gid: ", request.draft.gid, ": try again later")),
        nullptr);
  }
  const bool look_first = begins && !t->exists && !Creates(request);
  t->queue.push_back(std::move(incoming));
  if (look_first) AskLoad(*t);
  Continue(*t);
}

void Engine::Impl::ApplyQueue(InFlight& t) {
  if (t.save != OpenSave::kNone || t.loading || t.queue.empty()) return;
  bool save = false;
  size_t done = 0;
  while (done < t.queue.size()) {
    Applied applied{.request = std::move(t.queue[done++])};
    RequestEffects effects;
    if (t.exists) {
      applied.answer = Apply(*applied.request, t.txn, now_, options_, effects);
    } else if (Creates(*applied.request)) {
      applied.answer = Create(*applied.request, t.txn, now_, options_, effects);
      applied.created = true;
      t.exists = true;
    } else {
      applied.answer = AnswerMissing(*applied.request);
    }
    save |= effects.save;
    CarryOut(t, effects);
    t.applied.push_back(std::move(applied));
    // A draft that became the record is given back whole if the creation fails: nothing joins it.
    if (t.applied.back().created) break;
  }
  t.queue.erase(t.queue.begin(), t.queue.begin() + static_cast<ptrdiff_t>(done));
  // Together, so that no answer shows a change of a later request that is not durable yet.
  if (save) return AskSave(t, OpenSave::kBlocking);
  AnswerApplied(t);
}

void Engine::Impl::CarryOut(InFlight& t, const RequestEffects& effects) {
  t.fixed_changed |= effects.fixed_changed;
  if (effects.wait && t.in_pass) t.parking = true;
  if (effects.run && !t.in_pass) {
    StartPass(t, now_ + BoundedSeconds(t.txn.next_cron_interval, options_));
  }
}

void Engine::Impl::AnswerApplied(InFlight& t) {
  for (Applied& applied : t.applied) {
    const Request& request = *applied.request;
    if (applied.answer.wait) {
      t.waiters.push_back({request.token, request.kind == RequestKind::kAbort});
    } else {
      SendReply(request.token, std::move(applied.answer), &t.txn);
    }
  }
  t.applied.clear();
}

void Engine::Impl::SendReply(ReplyToken token, Answer&& answer, const Transaction* txn) {
  if (token == 0) return;
  const Transaction* shown = nullptr;
  if (answer.with_txn) {
    // A copy: the transaction may go on in this very Step, to what is not durable yet.
    snapshots_.push_back(std::make_unique<Transaction>(*txn));
    shown = snapshots_.back().get();
  }
  actions_->push_back(Reply{.token = token,
                            .code = answer.code,
                            .message = std::move(answer.message),
                            .grpc_code = answer.grpc_code,
                            .txn = shown});
}

// --- Saves

void Engine::Impl::AskSave(InFlight& t, OpenSave kind) {
  Transaction& txn = t.txn;
  t.saving_lease_until = TimePoint();
  if (IsFinal(txn.status)) {
    txn.leased = false;
  } else if (t.in_pass && !t.parking) {
    const Duration lease = LeaseTime(txn, options_);
    txn.leased = true;
    txn.next_cron_time = now_ + lease;
    t.renew_at = now_ + lease / 2;
    t.saving_lease_until = txn.next_cron_time;
  }
  if (txn.branches.size() > t.stored_branches || txn.payloads.size() > t.stored_payloads) {
    ++txn.pages;
  }
  ++txn.version;
  t.save = kind;
  t.saving_status = txn.status;
  t.saving_leased = txn.leased;
  t.saving_branches = txn.branches.size();
  t.saving_payloads = txn.payloads.size();
  std::swap(t.saving_rows, t.changed_rows);
  t.changed_rows.clear();
  if (txn.type == TransType::kSaga) t.pass.Replace(RowState::kUnsaved, RowState::kSaving);
  t.dirty = false;
  actions_->push_back(Save{.id = t.id(),
                           .txn = &txn,
                           .expected_version = t.stored_version,
                           .expected_status = t.stored_status,
                           .expected_leased = t.stored_leased,
                           .branches_from = t.stored_branches,
                           .payloads_from = t.stored_payloads,
                           .rows_changed = t.saving_rows,
                           .page_number = txn.pages == 0 ? 0 : txn.pages - 1,
                           .fixed_part_changed = std::exchange(t.fixed_changed, false)});
}

void Engine::Impl::On(SaveDone& done) {
  InFlight* t = table_.Find(done.id);
  if (t == nullptr || t->save == OpenSave::kNone || t->txn.version != done.version) return;
  t->save = OpenSave::kNone;
  switch (done.result) {
    case SaveResult::kStored: Stored(*t); break;
    case SaveResult::kConflict: Lost(*t); break;
    case SaveResult::kUnknown: Unknown(*t, done.error); break;
    case SaveResult::kRefused: Refused(*t, done.error); break;
  }
}

void Engine::Impl::Stored(InFlight& t) {
  t.unknown_saves = 0;
  t.stored_version = t.txn.version;
  t.stored_status = t.saving_status;
  t.stored_leased = t.saving_leased;
  t.stored_branches = t.saving_branches;
  t.stored_payloads = t.saving_payloads;
  t.lease_until = t.saving_lease_until;
  if (t.txn.type == TransType::kSaga) t.pass.Replace(RowState::kSaving, RowState::kIdle);
  AnswerApplied(t);
  const bool ended = IsFinal(t.txn.status);
  if (ended || t.parking) EndPass(t);
  if (ended) actions_->push_back(Ended{&t.txn});
  Continue(t);
}

void Engine::Impl::Lost(InFlight& t) {
  // What was applied did not happen: it is applied again to what is stored now, before the rest.
  for (Applied& applied : t.applied) {
    if (!applied.created) continue;
    applied.request->draft = std::move(t.txn);
    t.exists = false;
    t.in_pass = false;
  }
  for (size_t i = 0; i < t.applied.size(); ++i) {
    t.queue.insert(t.queue.begin() + static_cast<ptrdiff_t>(i), std::move(t.applied[i].request));
  }
  t.applied.clear();
  t.save_unknown = false;
  AskLoad(t);
  Settle(t);
}

void Engine::Impl::Unknown(InFlight& t, const std::string& error) {
  const std::string why = Cat("the store did not say whether gid: ",
                              t.gid,
                              " was saved (",
                              error,
                              "): query it or repeat the request");
  for (Applied& applied : t.applied) {
    SendReply(applied.request->token, InternalError(why), nullptr);
  }
  t.applied.clear();
  // Twice in a row: the store is in trouble. Trying on would be a loop without a pause; the record
  // comes back with ClaimDue once its lease is over.
  if (++t.unknown_saves > 1) return GiveUp(t, why);
  t.save_unknown = true;
  AskLoad(t);
  Settle(t);
}

void Engine::Impl::Refused(InFlight& t, const std::string& error) {
  for (Applied& applied : t.applied) SendReply(applied.request->token, Error(error), nullptr);
  t.applied.clear();
  t.save_unknown = false;
  AskLoad(t);  // what was applied did not happen
  Settle(t);
}

// --- Loads

void Engine::Impl::AskLoad(InFlight& t) {
  t.loading = true;
  actions_->push_back(Load{.id = t.id(), .gid = t.gid});
}

void Engine::Impl::On(LoadDone& done) {
  InFlight* t = table_.Find(done.id);
  if (t == nullptr || !t->loading) return;
  t->loading = false;
  switch (done.status) {
    case LoadStatus::kFailed:
      return GiveUp(*t, Cat("cannot read gid: ", t->gid, ": ", done.error, ": try again later"));
    case LoadStatus::kMissing:
      if (t->exists) EndPass(*t);  // gone, or never created
      t->exists = false;
      t->in_pass = false;
      t->stored_version = 0;
      t->stored_branches = 0;
      t->stored_payloads = 0;
      return Continue(*t);
    case LoadStatus::kFound: return Found(*t, std::move(*done.txn));
  }
}

void Engine::Impl::Found(InFlight& t, Transaction&& loaded) {
  const bool unknown = std::exchange(t.save_unknown, false);
  const bool happened =
      unknown && loaded.version == t.txn.version && loaded.next_cron_time == t.txn.next_cron_time;
  const bool did_not_happen = unknown && loaded.version == t.stored_version;
  Adopt(t, std::move(loaded));
  if (happened) return Stored(t);
  // Still this server's to work on unless someone else has saved meanwhile.
  if (did_not_happen) {
    t.parking = false;
  } else {
    EndPass(t);
    t.lease_until = TimePoint();  // what this server had is another's now
  }
  Continue(t);
}

void Engine::Impl::Adopt(InFlight& t, Transaction&& record) {
  t.txn = std::move(record);
  t.exists = true;
  t.stored_version = t.txn.version;
  t.stored_status = t.saving_status = t.txn.status;
  t.stored_leased = t.saving_leased = t.txn.leased;
  t.stored_branches = t.saving_branches = t.txn.branches.size();
  t.stored_payloads = t.saving_payloads = t.txn.payloads.size();
  t.changed_rows.clear();
  t.pass.Replace(RowState::kUnsaved, RowState::kIdle);
  t.pass.Replace(RowState::kSaving, RowState::kIdle);
  MarkOpenCalls(t);
  t.dirty = false;
  t.fixed_changed = false;
}

// Answers everyone who waits and forgets the transaction: the store has what was promised.
void Engine::Impl::GiveUp(InFlight& t, const std::string& why) {
  for (const Waiter& waiter : t.waiters) SendReply(waiter.token, InternalError(why), nullptr);
  for (const RequestPtr& request : t.queue) SendReply(request->token, InternalError(why), nullptr);
  Forget(t);
}

// --- Claims

void Engine::Impl::On(Claimed& claimed) {
  Transaction& record = *claimed.txn;
  if (stopping_ || IsFinal(record.status)) return;
  // So late that the store may have handed it on: what it says may be long past. Due again.
  if (now_ >= claimed.lease_until) return;
  InFlight* t = table_.Find(record.gid);
  if (t != nullptr && !IsIdle(*t)) return ClaimedBusy(*t, claimed);
  if (t != nullptr && record.version < t->txn.version) return;  // claimed before it was saved last
  if (room() == 0) return;  // due again when the claim's lease is over
  if (t == nullptr) {
    if (forgotten_.MayHoldSince(record.gid, claimed.forgotten)) return LookFirst(claimed);
    t = &table_.Add(record.gid);
  }
  Adopt(*t, std::move(record));
  StartClaimedPass(*t, claimed.lease_until);
  Continue(*t);
}

// This server went on with it while the claim was on its way: what came with the claim is older
// than what is stored.
void Engine::Impl::LookFirst(const Claimed& claimed) {
  InFlight& t = table_.Add(claimed.txn->gid);
  t.claimed_until = claimed.lease_until;
  AskLoad(t);
  Settle(t);
}

void Engine::Impl::ClaimedBusy(InFlight& t, Claimed& claimed) {
  Transaction& record = *claimed.txn;
  if (t.loading || (t.save != OpenSave::kNone && record.version == t.txn.version)) {
    t.claimed_until = claimed.lease_until;  // what is on its way tells what to do with it
    return;
  }
  // Newer than what this server works on, or handed over while only an old call was open.
  const bool newer = record.version > t.txn.version;
  const bool takes = newer || (record.version == t.txn.version && !t.in_pass);
  if (t.save != OpenSave::kNone || !takes) return;
  Adopt(t, std::move(record));
  if (!t.in_pass) StartClaimedPass(t, claimed.lease_until);
  Continue(t);
}

// --- Time

void Engine::Impl::On(Tick&) {
  std::vector<uint32_t> due;
  while (!deadlines_.empty() && deadlines_.top_time() <= now_) {
    due.push_back(deadlines_.top_key());
    deadlines_.Remove(due.back());
  }
  for (const uint32_t slot : due) {
    InFlight& t = table_.at(slot);
    const bool save_progress =
        t.dirty && t.dirty_since + options_.limits.progress_save_delay <= now_;
    if (t.save == OpenSave::kNone && (save_progress || t.renew_at <= now_)) {
      AskSave(t, OpenSave::kProgress);
    }
    Continue(t);
  }
  while (!idle_.empty() && idle_.top_time() <= now_) Forget(table_.at(idle_.top_key()));
}

// --- From one event to the next

// Does all that can be done now.
void Engine::Impl::Continue(InFlight& t) {
  ApplyQueue(t);
  if (t.claimed_until && t.exists && t.save == OpenSave::kNone && !t.loading) {
    const TimePoint until = *std::exchange(t.claimed_until, std::nullopt);
    if (!t.in_pass && !IsFinal(t.txn.status) && now_ < until) StartClaimedPass(t, until);
  }
  Advance(t);
  Settle(t);
}

// Files the transaction as busy or idle, or forgets it.
void Engine::Impl::Settle(InFlight& t) {
  const bool asks_store = t.save != OpenSave::kNone || t.loading;
  if (!asks_store && !t.in_pass) {
    EndPass(t);  // for who waits although there was nothing to do
    if (!t.exists || IsFinal(t.txn.status)) return Forget(t);
    if (t.calls.empty()) return KeepIdle(t);
  }
  idle_.Remove(t.slot);
  if (const std::optional<TimePoint> deadline = DeadlineOf(t)) {
    deadlines_.Set(t.slot, *deadline);
  } else {
    deadlines_.Remove(t.slot);
  }
}

std::optional<TimePoint> Engine::Impl::DeadlineOf(const InFlight& t) const {
  // What is open answers by itself, and then there is a next look.
  if (t.save != OpenSave::kNone || t.loading || !t.in_pass) return std::nullopt;
  TimePoint deadline = t.renew_at;
  if (t.dirty) deadline = std::min(deadline, t.dirty_since + options_.limits.progress_save_delay);
  if (t.wake_at) deadline = std::min(deadline, *t.wake_at);
  return deadline;
}

void Engine::Impl::KeepIdle(InFlight& t) {
  deadlines_.Remove(t.slot);
  idle_.Set(t.slot, now_ + options_.limits.resident_idle_time);
  while (idle_.size() > options_.limits.resident_idle_max) Forget(table_.at(idle_.top_key()));
}

void Engine::Impl::Forget(InFlight& t) {
  deadlines_.Remove(t.slot);
  idle_.Remove(t.slot);
  forgotten_.Add(t.gid);
  table_.Release(t);
}

}  // namespace troth
