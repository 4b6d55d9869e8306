#pragma once
// Cuts a stream of bytes into gRPC messages and inflates compressed ones, within a size limit.

#include <string>
#include <string_view>

#include "net/grpc_status.h"

namespace troth::net {

class MessageReader {
 public:
  enum class Result : uint8_t { kMessage, kNeedsMore, kError };

  explicit MessageReader(uint32_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

  // How the peer compresses, from grpc-encoding. False: an encoding we cannot read.
  bool SetEncoding(std::string_view encoding);

  // Takes bytes off the front of `bytes`. kMessage: `message` holds the next one; ask again.
  // kNeedsMore: all bytes are taken. kError: error() says why; nothing more can be read.
  Result Next(std::string_view& bytes, std::string& message);

  const GrpcStatus& error() const { return error_; }
  // True between messages.
  bool at_boundary() const { return header_size_ == 0; }
  // Bytes of an incomplete message held.
  size_t buffered() const { return partial_.size(); }

 private:
  static constexpr size_t kHeaderBytes = 5;

  bool ReadHeader(std::string_view& bytes);
  Result Complete(std::string& message);
  Result Fail(GrpcCode code, std::string text);

  const uint32_t message_bytes_max_;
  bool gzip_ = false;
  char header_[kHeaderBytes] = {};
  uint8_t header_size_ = 0;
  uint32_t message_size_ = 0;
  std::string partial_;
  GrpcStatus error_;
};

}  // namespace troth::net
