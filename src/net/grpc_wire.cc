#include "net/grpc_wire.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace troth::net {

namespace {

constexpr size_t kTimeoutDigitsMax = 8;
constexpr int64_t kTimeoutValueMax = 99'999'999;

struct TimeoutUnit {
  char letter;
  int64_t micros;
};
constexpr std::array<TimeoutUnit, 5> kUnits = {
    {{'H', 3'600'000'000}, {'M', 60'000'000}, {'S', 1'000'000}, {'m', 1000}, {'u', 1}}};

constexpr std::array<std::string_view, 17> kCodeTexts = {
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"};

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsPlainInMessage(char c) { return c >= ' ' && c <= '~' && c != '%'; }

}  // namespace

std::optional<Duration> ParseGrpcTimeout(std::string_view text) {
  if (text.size() < 2 || text.size() > kTimeoutDigitsMax + 1) return std::nullopt;
  const std::string_view digits = text.substr(0, text.size() - 1);
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  const int64_t value = *ParseInt(digits);
  if (text.back() == 'n') return Duration((value + 999) / 1000);
  for (const TimeoutUnit& unit : kUnits) {
    if (text.back() == unit.letter) return Duration(value * unit.micros);
  }
  return std::nullopt;
}

std::string FormatGrpcTimeout(Duration timeout) {
  const int64_t micros = std::max<int64_t>(timeout.count(), 1);
  // The largest unit that says it exactly; else the smallest one that says it in eight digits.
  for (const TimeoutUnit& unit : kUnits) {
    if (micros % unit.micros == 0 && micros / unit.micros <= kTimeoutValueMax) {
      return Cat(micros / unit.micros, unit.letter);
    }
  }
  for (size_t i = kUnits.size(); i-- > 0;) {
    const int64_t value = micros / kUnits[i].micros;
    if (value <= kTimeoutValueMax) return Cat(value, kUnits[i].letter);
  }
  return Cat(kTimeoutValueMax, 'H');
}

std::string EncodeGrpcMessage(std::string_view message) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(message.size());
  for (const char c : message) {
    if (IsPlainInMessage(c)) {
      encoded.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded.push_back('%');
    encoded.push_back(kHex[byte >> 4]);
    encoded.push_back(kHex[byte & 15]);
  }
  return encoded;
}

std::string DecodeGrpcMessage(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size();
    const int high = escape ? HexValue(text[i + 1]) : -1;
    const int low = escape ? HexValue(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      decoded.push_back(text[i]);
      continue;
    }
    decoded.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded;
}

std::string_view GrpcCodeText(GrpcCode code) {
  const auto index = static_cast<size_t>(code);
  return index < kCodeTexts.size() ? kCodeTexts[index] : "2";
}

GrpcCode ParseGrpcCode(std::string_view text) {
  const auto found = std::find(kCodeTexts.begin(), kCodeTexts.end(), text);
  if (found == kCodeTexts.end()) return GrpcCode::kUnknown;
  return static_cast<GrpcCode>(found - kCodeTexts.begin());
}

bool IsGrpcContentType(std::string_view content_type) {
  constexpr std::string_view kType = "application/grpc";
  if (!content_type.starts_with(kType)) return false;
  const std::string_view rest = content_type.substr(kType.size());
  return rest.empty() || rest.front() == '+' || rest.front() == ';';
}

bool IsBinaryKey(std::string_view key) { return key.ends_with("-bin"); }

std::string EncodeBinaryValue(std::string_view bytes) {
  std::string text = Base64Encode(bytes);
  while (text.ends_with('=')) text.pop_back();
  return text;
}

Status AddReceived(std::string_view key, std::string_view value, Metadata& metadata) {
  if (!IsBinaryKey(key)) {
    metadata.emplace_back(key, value);
    return OkStatus();
  }
  for (const std::string_view part : Split(value, ',')) {
    std::optional<std::string> bytes = Base64Decode(TrimSpace(part));
    if (!bytes) return Internal(Cat("header '", key, "' is not base64"));
    metadata.emplace_back(key, *std::move(bytes));
  }
  return OkStatus();
}

GrpcCode CodeOfHttpStatus(int http_status) {
  switch (http_status) {
    case 400: return GrpcCode::kInternal;
    case 401: return GrpcCode::kUnauthenticated;
    case 403: return GrpcCode::kPermissionDenied;
    case 404: return GrpcCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504: return GrpcCode::kUnavailable;
    default: return GrpcCode::kUnknown;
  }
}

GrpcCode CodeOfHttp2Error(Http2Error error) {
  switch (error) {
    case Http2Error::kRefusedStream: return GrpcCode::kUnavailable;
    case Http2Error::kCancel: return GrpcCode::kCancelled;
    case Http2Error::kEnhanceYourCalm: return GrpcCode::kResourceExhausted;
    case Http2Error::kInadequateSecurity: return GrpcCode::kPermissionDenied;
    default: return GrpcCode::kInternal;
  }
}

std::string MessagePrefix(size_t message_size) {
  const auto size = static_cast<uint32_t>(message_size);
  return {'\0',
          static_cast<char>(size >> 24),
          static_cast<char>(size >> 16),
          static_cast<char>(size >> 8),
          static_cast<char>(size)};
}

}  // namespace troth::net
