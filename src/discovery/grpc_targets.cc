#include "discovery/grpc_targets.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/text.h"
#include "discovery/endpoint_pool.h"

namespace troth {
namespace {

// What goes at once when there are too many targets: a sixteenth, so that looking for the least
// recently used costs little per new target.
constexpr size_t kEvictShare = 16;

void FailLater(net::Loop& loop, net::UnaryDone done, StatusCode code, std::string why) {
  loop.Post([done = std::move(done), code, why = std::move(why)]() mutable {
    net::UnaryResult result;
    result.status = {code, std::move(why)};
    done(std::move(result));
  });
}

}  // namespace

struct GrpcTargets::Impl {
  struct Entry {
    std::shared_ptr<EndpointPool> pool;
    std::unique_ptr<Subscription> subscription;
    std::chrono::steady_clock::time_point last_used;
  };
  using Entries = absl::flat_hash_map<std::string, Entry>;

  net::Loop& loop;
  Directory& directory;
  const GrpcTargetsOptions options;
  Entries entries;  // by target

  ~Impl() {
    for (auto& [target, entry] : entries) entry.pool->Shutdown();
  }
  StatusOr<Entry*> Open(std::string_view target);
  void Refresh(std::string_view target);
  bool SecureOk(std::string_view target) const;
  void EvictIdle();
};

void GrpcTargets::Impl::Refresh(std::string_view target) {
  const auto found = entries.find(target);
  if (found != entries.end()) found->second.subscription->Refresh();
}

StatusOr<GrpcTargets::Impl::Entry*> GrpcTargets::Impl::Open(std::string_view target) {
  if (entries.size() >= options.targets_max) EvictIdle();
  if (entries.size() >= options.targets_max) {
    return Unavailable(
        Cat("calls to ", options.targets_max, " targets are open; no room for more"));
  }
  net::Loop& on = loop;
  auto pool = std::make_shared<EndpointPool>(
      on,
      std::string(target),
      options,
      [&on](const std::string& address, net::ChannelOptions channel) {
        return net::Channel::Make(on, address, std::move(channel));
      },
      [this, key = std::string(target)] { Refresh(key); });
  TROTH_ASSIGN_OR_RETURN(auto subscription,
                         directory.Subscribe(
                             target,
                             "grpc",
                             loop,
                             [raw = pool.get()](const EndpointList& list) { raw->OnList(list); },
                             SecureOk(target)));
  Entry& entry = entries[std::string(target)];
  entry = {.pool = std::move(pool), .subscription = std::move(subscription), .last_used = {}};
  return &entry;
}

bool GrpcTargets::Impl::SecureOk(std::string_view target) const {
  return options.tls != nullptr && (options.secure_instances || target.starts_with("grpcs://"));
}

void GrpcTargets::Impl::EvictIdle() {
  std::vector<Entries::iterator> idle;
  for (auto at = entries.begin(); at != entries.end(); ++at) {
    if (at->second.pool->idle()) idle.push_back(at);
  }
  const size_t count = std::min(idle.size(), entries.size() / kEvictShare + 1);
  std::partial_sort(idle.begin(),
                    idle.begin() + static_cast<std::ptrdiff_t>(count),
                    idle.end(),
                    [](auto a, auto b) { return a->second.last_used < b->second.last_used; });
  idle.resize(count);
  for (const auto at : idle) {
    at->second.pool->Shutdown();
    entries.erase(at);
  }
}

GrpcTargets::GrpcTargets(net::Loop& loop, Directory& directory, GrpcTargetsOptions options)
    : impl_(new Impl{
          .loop = loop, .directory = directory, .options = std::move(options), .entries = {}}) {}

GrpcTargets::~GrpcTargets() = default;

void GrpcTargets::Unary(std::string_view target, const net::UnaryCall& call, net::UnaryDone done) {
  const auto found = impl_->entries.find(target);
  Impl::Entry* entry = found != impl_->entries.end() ? &found->second : nullptr;
  if (entry == nullptr) {
    const StatusOr<Impl::Entry*> opened = impl_->Open(target);
    if (!opened.ok()) {
      return FailLater(impl_->loop,
                       std::move(done),
                       opened.status().code(),
                       std::string(Message(opened.status())));
    }
    entry = *opened;
  }
  entry->last_used = impl_->loop.turn_time();
  entry->pool->Unary(call, std::move(done));
}

std::vector<GrpcTargets::EndpointState> GrpcTargets::Describe(std::string_view target) const {
  const auto found = impl_->entries.find(target);
  if (found == impl_->entries.end()) return {};
  return found->second.pool->Describe();
}

}  // namespace troth
