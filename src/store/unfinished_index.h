#pragma once
// The unfinished transactions of one store, in memory: which there are, at which version, and when
// each is due. About 200 bytes each. Private to this folder; not thread-safe, its store's mutex
// guards it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "base/time.h"

namespace troth {

class UnfinishedIndex {
 public:
  struct Entry {
    std::string gid;
    uint64_t sequence = 0;  // the store's order of creation; unique
    uint64_t version = 0;
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

  // Those due at `now`, longest due first, at most `limit`. Each is due again at `lease_until`.
  std::vector<Entry*> Claim(TimePoint now, TimePoint lease_until, size_t limit);
  // Those due later than `after`, soonest first, at most `limit`.
  std::vector<Entry*> DueLaterThan(TimePoint after, size_t limit) const;
  bool AnyDueLaterThan(TimePoint after) const;
  std::optional<TimePoint> NextDue() const;

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
};

}  // namespace troth
