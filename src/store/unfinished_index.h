#pragma once
// The unfinished transactions of one store, in memory: which there are, in which status and
// version, and when each is due. About 220 bytes each. Private to this folder; not thread-safe, its
// store's mutex guards it.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "base/time.h"
#include "engine/transaction.h"

namespace troth {

class UnfinishedIndex {
 public:
  struct Entry {
    std::string gid;
    uint64_t sequence = 0;  // the store's order of creation; unique
    uint64_t version = 0;
    TransStatus status = TransStatus::kSubmitted;
    TimePoint due{};
    bool has_parts = false;     // RocksDB: rows beside the creation's document
    bool written_once = false;  // RocksDB: its row was put exactly once, by this process
  };

  // The entry, or nullptr. Entries stay where they are until removed.
  Entry* Find(std::string_view gid);
  // `entry.gid` must not be there yet.
  Entry* Add(Entry entry);
  void Remove(Entry* entry);
  void SetDue(Entry* entry, TimePoint due);
  void SetStatus(Entry* entry, TransStatus status);

  // Those due at `now`, longest due first, at most `limit`. Each is due again at `lease_until`.
  std::vector<Entry*> Claim(TimePoint now, TimePoint lease_until, size_t limit);
  // Those due later than `after`, soonest first, at most `limit`.
  std::vector<Entry*> DueLaterThan(TimePoint after, size_t limit) const;
  bool AnyDueLaterThan(TimePoint after) const;
  std::optional<TimePoint> NextDue() const;

  // Sequences below `below`, newest first, at most `limit`; of one status or of all.
  std::vector<uint64_t> NewestBelow(uint64_t below,
                                    std::optional<TransStatus> status,
                                    size_t limit) const;
  std::optional<uint64_t> Oldest() const;
  // Whether there is a sequence between the two.
  bool AnyBetween(uint64_t after, uint64_t before) const;

  size_t size() const { return entries_.size(); }

 private:
  struct Due {
    TimePoint time;
    uint64_t sequence = 0;
    Entry* entry = nullptr;
    bool operator<(const Due& other) const {
      return time != other.time ? time < other.time : sequence < other.sequence;
    }
  };
  // Sequences come in ascending order, so that adding is cheap.
  using Sequences = absl::btree_set<uint64_t>;
  Sequences& SequencesLike(const Entry& entry) {
    return sequences_[static_cast<size_t>(entry.status)];
  }
  static Due DueOf(Entry* entry) { return {entry->due, entry->sequence, entry}; }
  absl::btree_set<Due>::const_iterator FirstLaterThan(TimePoint time) const;

  // Entries are found by gid, without a copy of it as a key.
  static std::string_view GidOf(std::string_view gid) { return gid; }
  static std::string_view GidOf(const std::unique_ptr<Entry>& entry) { return entry->gid; }
  struct Hash {
    using is_transparent = void;
    size_t operator()(const auto& key) const { return absl::HashOf(GidOf(key)); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return GidOf(a) == GidOf(b); }
  };

  absl::flat_hash_set<std::unique_ptr<Entry>, Hash, Equal> entries_;
  absl::btree_set<Due> due_;
  std::array<Sequences, static_cast<size_t>(TransStatus::kFailed) + 1> sequences_;  // by status
};

}  // namespace troth
