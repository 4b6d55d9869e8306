#pragma once
// The store as servers see it: what is committed lies in a buffer until its sync is over, and only
// then is it durable, visible and confirmed. A crash in between loses the buffer, or part of it.
// What is durable is kept by the production MemoryStore, the model of the store contract, or by the
// production store over RocksDB on a disk that loses power.
//
// Shared by several servers over the network, or embedded in the only one, whose crash is its crash
// then.

#include <functional>
#include <list>
#include <string>
#include <vector>

#include "auditor.h"
#include "context.h"
#include "disk_store.h"
#include "network.h"
#include "store/memory_store.h"

namespace troth::sim {

// What a server asks of its store. Every question is answered once, however late; a commit whose
// answer is lost on the way is answered kUnknown.
class StorePort {
 public:
  using CommitFn = std::function<void(std::vector<SaveOutcome>)>;
  using LoadFn = std::function<void(StatusOr<std::optional<StoredRecord>>)>;
  using ClaimFn = std::function<void(StatusOr<std::vector<StoredRecord>>)>;

  virtual ~StorePort() = default;
  virtual void Commit(Incarnation from, std::vector<SaveRecord> saves, CommitFn done) = 0;
  virtual void Load(Incarnation from, std::string gid, LoadFn done) = 0;
  virtual void ClaimDue(
      Incarnation from, TimePoint now, TimePoint lease_until, size_t limit, ClaimFn done) = 0;
};

class SimStore final : public StorePort {
 public:
  enum class Kind : uint8_t { kShared, kEmbedded, kEmbeddedOnDisk };
  SimStore(Context& context, Network& network, Auditor& auditor, Kind kind);

  void Commit(Incarnation from, std::vector<SaveRecord> saves, CommitFn done) override;
  void Load(Incarnation from, std::string gid, LoadFn done) override;
  void ClaimDue(
      Incarnation from, TimePoint now, TimePoint lease_until, size_t limit, ClaimFn done) override;

  // --- what happens to it

  void Crash(Duration down);
  void FillUp(Duration full);
  // Ends what still lasts of a crash or a full disk.
  void Recover();
  // Everything unfinished is due at once: what an embedded store does when it is opened, and what
  // an operator may ask for.
  void ResetDue(TimePoint now);
  bool embedded() const { return embedded_; }
  // A server of an embedded store has gone: its buffer with it.
  void LoseBuffer();

 private:
  struct Batch {
    Incarnation from;
    std::vector<SaveRecord> saves;
    CommitFn done;
  };

  bool down() const { return context_.scheduler.now() < down_until_; }
  void Arrive(Batch batch);
  void Synced(std::list<Batch>::iterator batch);
  std::vector<SaveOutcome> Apply(const Incarnation& from, std::span<const SaveRecord> saves);
  std::vector<SaveOutcome> Write(std::span<const SaveRecord> saves);
  void Note(const Incarnation& from, const SaveRecord& save, bool stored);
  void CrashDisk();
  Store& durable() { return disk_ != nullptr ? disk_->store() : memory_; }
  // An answer by way of the network, or at once.
  void Answer(const Incarnation& to, Task deliver);
  void Ask(const Incarnation& from, std::function<void()> arrive);

  Context& context_;
  Network& network_;
  Auditor& auditor_;
  const bool embedded_;
  MemoryStore memory_;
  std::unique_ptr<DiskStore> disk_;  // instead of memory_
  std::list<Batch> buffer_;
  uint64_t crashes_ = 0;
  TimePoint down_until_;
  TimePoint full_until_;
};

}  // namespace troth::sim
