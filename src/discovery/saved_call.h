#pragma once
// A unary call that outlives its caller's views: to wait for a connection, or to be tried again.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/grpc_client.h"

namespace troth {

// Keeps its memory from one call to the next.
class SavedCall {
 public:
  void Save(const net::UnaryCall& call) {
    bytes_.clear();
    sizes_.clear();
    bytes_.append(call.path);
    for (const net::MetadataView& item : call.metadata) {
      bytes_.append(item.key).append(item.value);
      sizes_.push_back({item.key.size(), item.value.size(), item.never_index});
    }
    bytes_.append(call.message);
    path_size_ = call.path.size();
    wait_for_ready_ = call.wait_for_ready;
  }

  // Good until the next Save. `metadata` is scratch space, which the result points into.
  net::UnaryCall View(Duration timeout, std::vector<net::MetadataView>& metadata) const {
    std::string_view rest = bytes_;
    const auto take = [&rest](size_t size) {
      const std::string_view taken = rest.substr(0, size);
      rest.remove_prefix(size);
      return taken;
    };
    const std::string_view path = take(path_size_);
    metadata.clear();
    for (const Sizes& sizes : sizes_) {
      const std::string_view key = take(sizes.key);
      metadata.push_back({key, take(sizes.value), sizes.never_index});
    }
    return {.path = path,
            .metadata = metadata,
            .message = rest,
            .timeout = timeout,
            .wait_for_ready = wait_for_ready_};
  }

  bool wait_for_ready() const { return wait_for_ready_; }

 private:
  struct Sizes {
    size_t key;
    size_t value;
    bool never_index;
  };

  std::string bytes_;  // path, then keys and values in order, then the message
  size_t path_size_ = 0;
  std::vector<Sizes> sizes_;
  bool wait_for_ready_ = false;
};

}  // namespace troth
