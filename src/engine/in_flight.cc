#include "engine/in_flight.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace troth {
namespace {

// Multiply and fold: mixes 8 bytes at a time, good enough for a table.
uint64_t Mix(uint64_t a, uint64_t b) {
  a = (a ^ b) * 0x9E3779B97F4A7C15u;
  return a ^ (a >> 29);
}

// Ready for the next transaction; vectors keep their memory.
void Clear(InFlight& t) {
  std::destroy_at(&t.txn);
  std::construct_at(&t.txn);
  t.exists = false;
  t.stored_version = 0;
  t.stored_branches = 0;
  t.stored_payloads = 0;
  t.save = OpenSave::kNone;
  t.loading = false;
  t.save_unknown = false;
  t.unknown_saves = 0;
  t.applied.clear();
  t.dirty = false;
  t.fixed_changed = false;
  t.changed_rows.clear();
  t.saving_rows.clear();
  t.in_pass = false;
  t.parking = false;
  t.pass.Reset({}, {});
  t.wake_at.reset();
  t.problem.reset();
  t.waiters.clear();
  t.calls.clear();
  t.queue.clear();
  t.claimed_until.reset();
  t.lease_until = TimePoint();
}

}  // namespace

size_t InFlightTable::GidHash::operator()(std::string_view gid) const {
  uint64_t hash = Mix(seed, gid.size());
  while (gid.size() >= sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, gid.data(), sizeof(word));
    hash = Mix(hash, word);
    gid.remove_prefix(sizeof(word));
  }
  uint64_t rest = 0;
  std::memcpy(&rest, gid.data(), gid.size());
  return Mix(Mix(hash, rest), seed);
}

InFlightTable::InFlightTable(uint64_t seed) : by_gid_(0, GidHash{seed}) {}

InFlight* InFlightTable::Find(std::string_view gid) {
  const auto found = by_gid_.find(gid);
  return found == by_gid_.end() ? nullptr : found->second;
}

InFlight* InFlightTable::Find(TxnId id) {
  const auto slot = static_cast<uint32_t>(id);
  if (slot >= slots_.size()) return nullptr;
  InFlight& t = *slots_[slot];
  return t.id() == id ? &t : nullptr;
}

void InFlightTable::Prefetch(TxnId id) const {
  constexpr size_t kLine = 64;
  const auto slot = static_cast<uint32_t>(id);
  if (slot >= slots_.size()) return;
  const auto* const begin = reinterpret_cast<const char*>(slots_[slot].get());
  for (size_t i = 0; i < sizeof(InFlight); i += kLine) __builtin_prefetch(begin + i);
}

std::vector<InFlight*> InFlightTable::All() {
  std::vector<InFlight*> all;
  all.reserve(by_gid_.size());
  for (const auto& [gid, t] : by_gid_) all.push_back(t);
  std::ranges::sort(all, {}, &InFlight::slot);
  return all;
}

InFlight& InFlightTable::Add(std::string_view gid) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.push_back(std::make_unique<InFlight>());
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  InFlight& t = *slots_[slot];
  t.slot = slot;
  ++t.generation;
  t.gid = gid;
  by_gid_.emplace(t.gid, &t);
  return t;
}

void InFlightTable::Release(InFlight& t) {
  by_gid_.erase(t.gid);
  ++t.generation;  // events for it find nothing from now on
  released_.push_back(t.slot);
}

void InFlightTable::Recycle() {
  for (const uint32_t slot : released_) {
    Clear(*slots_[slot]);
    free_.push_back(slot);
  }
  released_.clear();
}

}  // namespace troth
