#pragma once
// What Redis answers, and what its errors mean for whoever asked.

#include <hiredis/read.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"

struct redisReply;  // hiredis

namespace troth::redis {

struct FreeReply {
  void operator()(redisReply* reply) const;
};
using ReplyPtr = std::unique_ptr<redisReply, FreeReply>;

// Reads of a reply that is what it should be; what is of another kind reads as empty, so that
// nothing a server answers can break us. Views live as long as the reply.
std::string_view Text(const redisReply* reply);  // a string or a status
int64_t Integer(const redisReply* reply);        // an integer, or a string that is one; else 0
bool IsNil(const redisReply* reply);
bool IsError(const redisReply* reply);
std::span<redisReply* const> Elements(const redisReply* reply);
// The element, or null.
const redisReply* Element(const redisReply* reply, size_t index);

// What to do about an error.
enum class ErrorKind : uint8_t {
  kNoScript,   // load the scripts, then ask again
  kMoved,      // another node of the cluster has these keys, from now on
  kNotMaster,  // not (any longer) the master: find it, then ask again
  kLater,      // it is loading, the cluster is being mended, our slot is on the way to another
               // node (no script could see all its keys then): ask again soon
  kFinal,      // asking again would not help
};
// All but kFinal say that the command was not carried out.
ErrorKind KindOf(std::string_view error);

// For people: what Redis said and, where it is known, what the operator can do.
Status Explain(std::string_view error);

// Cuts the bytes of a connection into replies.
class ReplyReader {
 public:
  ReplyReader();
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  // Appends the replies that `bytes` complete. Error: what came is not Redis's protocol.
  Status Feed(std::string_view bytes, std::vector<ReplyPtr>& replies);

 private:
  redisReader* const reader_;
};

}  // namespace troth::redis
