#include "net/grpc_message_reader.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "net/gzip.h"

namespace troth::net {

namespace {

uint32_t BigEndian(const char* bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

bool MessageReader::SetEncoding(std::string_view encoding) {
  gzip_ = encoding == "gzip";
  return gzip_ || encoding == "identity" || encoding.empty();
}

MessageReader::Result MessageReader::Next(std::string_view& bytes, std::string& message) {
  if (!error_.ok()) return Result::kError;
  if (header_size_ < kHeaderBytes && !ReadHeader(bytes)) return Result::kNeedsMore;
  if (message_size_ > message_bytes_max_) {
    return Fail(GrpcCode::kResourceExhausted,
                Cat("grpc: received message larger than max (",
                    message_size_,
                    " vs. ",
                    message_bytes_max_,
                    ")"));
  }
  const size_t taken = std::min(bytes.size(), message_size_ - partial_.size());
  // Room is made as bytes come, not as a header promises.
  partial_.append(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  if (partial_.size() < message_size_) return Result::kNeedsMore;
  return Complete(message);
}

bool MessageReader::ReadHeader(std::string_view& bytes) {
  const size_t taken = std::min(bytes.size(), kHeaderBytes - header_size_);
  std::copy_n(bytes.data(), taken, header_ + header_size_);
  header_size_ = static_cast<uint8_t>(header_size_ + taken);
  bytes.remove_prefix(taken);
  if (header_size_ < kHeaderBytes) return false;
  message_size_ = BigEndian(header_ + 1);
  return true;
}

MessageReader::Result MessageReader::Complete(std::string& message) {
  header_size_ = 0;
  const char compressed = header_[0];
  if (compressed == 0) {
    message = std::exchange(partial_, {});
    return Result::kMessage;
  }
  if (compressed != 1) {
    return Fail(GrpcCode::kInternal,
                Cat("grpc: received unexpected payload format ", int{compressed}));
  }
  if (!gzip_) {
    return Fail(GrpcCode::kInternal, "grpc: compressed flag set with identity or empty encoding");
  }
  StatusOr<std::string> inflated = Gunzip(partial_, message_bytes_max_);
  partial_.clear();
  if (!inflated.ok()) {
    const bool too_large = inflated.status().code() == GrpcCode::kResourceExhausted;
    return Fail(
        too_large ? GrpcCode::kResourceExhausted : GrpcCode::kInternal,
        Cat("grpc: failed to decompress the received message: ", Message(inflated.status())));
  }
  message = *std::move(inflated);
  return Result::kMessage;
}

MessageReader::Result MessageReader::Fail(GrpcCode code, std::string text) {
  partial_ = {};
  error_ = {code, std::move(text)};
  return Result::kError;
}

}  // namespace troth::net
