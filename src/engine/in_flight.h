#pragma once
// The transactions an engine holds: found by gid or by TxnId, kept in reused slots.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/answer.h"
#include "engine/event.h"
#include "engine/plan.h"
#include "engine/transaction.h"

namespace troth {

// A request that was applied and is answered once the open save is stored. The request is kept to
// be applied again if another server's save came first.
struct Applied {
  RequestPtr request;
  Answer answer{};
  bool created = false;
};

inline constexpr size_t kCallbackRow = SIZE_MAX;

struct OpenCall {
  uint32_t number = 0;
  size_t row = 0;  // kCallbackRow: the check-back or workflow callback
  TimePoint started{};
};

enum class OpenSave : uint8_t {
  kNone,
  kProgress,  // the pass goes on meanwhile
  kBlocking,  // everything that depends on the change waits
};

// One transaction being worked on, or kept idle for the next request.
struct InFlight {
  uint32_t slot = 0;
  uint32_t generation = 0;
  std::string gid;
  Transaction txn;      // the newest state, maybe ahead of the store
  bool exists = false;  // txn is a record, stored or being created

  // What the store has, as far as is known.
  uint64_t stored_version = 0;
  TransStatus stored_status = TransStatus::kPrepared;
  bool stored_leased = false;
  size_t stored_branches = 0;
  size_t stored_payloads = 0;

  // The open save or load; never both.
  OpenSave save = OpenSave::kNone;
  bool loading = false;
  bool save_unknown = false;  // the load is to find out what became of a save
  uint8_t unknown_saves = 0;  // in a row
  TransStatus saving_status = TransStatus::kPrepared;
  bool saving_leased = false;
  size_t saving_branches = 0;
  size_t saving_payloads = 0;
  std::vector<uint32_t> saving_rows;  // rows whose new status is in it
  std::vector<Applied> applied;

  // Changes that no save has been asked for yet.
  bool dirty = false;
  bool fixed_changed = false;
  std::vector<uint32_t> changed_rows;  // rows whose status changed, each once
  TimePoint dirty_since{};

  // The pass.
  bool in_pass = false;
  bool parking = false;  // the open save ends the pass
  // Until when the store hands it to nobody else, and until when once the open save is stored. Past
  // it nothing new is called.
  TimePoint lease_until{};
  TimePoint saving_lease_until{};
  PassState pass;
  TimePoint renew_at{};               // when to save only to keep the lease
  std::optional<TimePoint> wake_at;   // when the planner wants to be asked again
  std::optional<CallResult> problem;  // the pass's first result that was not a success
  std::vector<Waiter> waiters;        // told when the pass is over

  std::vector<OpenCall> calls;  // may outlive the pass that made them
  uint32_t last_call = 0;
  std::vector<RequestPtr> queue;  // wait for the open save or load
  // The store handed it over while a save or load was open; until when.
  std::optional<TimePoint> claimed_until;

  TxnId id() const { return (static_cast<TxnId>(generation) << 32) | slot; }
};

class InFlightTable {
 public:
  explicit InFlightTable(uint64_t seed);

  InFlight* Find(std::string_view gid);
  InFlight* Find(TxnId id);
  InFlight& at(uint32_t slot) { return *slots_[slot]; }
  // Brings one that is needed soon into the processor's cache.
  void Prefetch(TxnId id) const;
  // All there are, by slot.
  std::vector<InFlight*> All();

  // The gid must not be in the table.
  InFlight& Add(std::string_view gid);

  // Forgets the transaction. Its memory stays until Recycle, since actions may point to it.
  void Release(InFlight& t);
  void Recycle();

  size_t size() const { return by_gid_.size(); }

 private:
  struct GidHash {
    uint64_t seed;
    size_t operator()(std::string_view gid) const;
  };

  std::vector<std::unique_ptr<InFlight>> slots_;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> released_;
  std::unordered_map<std::string_view, InFlight*, GidHash> by_gid_;  // keys are InFlight::gid
};

}  // namespace troth
