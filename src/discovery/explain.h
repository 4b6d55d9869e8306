#pragma once
// What a name or an address resolves to and why, for people: `troth discover` and the API.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "discovery/directory.h"
#include "discovery/registry.h"
#include "net/loop.h"

namespace troth {

struct Explanation {
  struct Choice {
    Endpoint endpoint;
    bool connected = false;
    std::string trouble;  // why not
  };

  std::string target;    // as a branch's address would name it: "discovery:///trans"
  std::string registry;  // what was asked, and how that went
  std::string error;     // why there is no endpoint; empty when there is one
  std::vector<ServiceInstance> instances;
  std::vector<Choice> grpc;    // one of each instance that has one, each tried by a connection
  std::vector<Endpoint> http;  // the same for HTTP; not tried
};

// The target that a name ("trans"), an address ("discovery:///trans", "h:9000") or a whole branch
// URL stands for. InvalidArgument for what troth could not call either.
StatusOr<std::string> TargetOf(std::string_view name_or_url);

// done() runs later on `loop`, exactly once, after `patience` at the latest and a moment. The
// directory outlives that. Call it on the loop's thread.
void Explain(Directory& directory,
             net::Loop& loop,
             const std::string& target,
             Duration patience,
             std::function<void(Explanation)> done);

}  // namespace troth
