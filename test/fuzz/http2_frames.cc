#include "http2_frames.h"

#include "base/text.h"

namespace troth::fuzz {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::string_view kEmptySettings("\0\0\0\4\0\0\0\0\0", 9);
constexpr uint8_t kRaw = 1, kNoBeginning = 2;
// One input says so many frames at most; libFuzzer's inputs are small anyway.
constexpr int kFramesMax = 256;

void AppendFrame(std::string& out, Input& input) {
  const uint8_t type = input.Byte() % 11;  // one more than there are
  const uint8_t flags = input.Byte();
  const uint8_t stream = input.Byte();
  const std::string_view payload = input.Take(input.Byte());
  for (const size_t byte : {size_t{0}, size_t{0}, payload.size(), size_t{type}, size_t{flags}}) {
    out += static_cast<char>(byte);
  }
  out.append(3, '\0');
  out += static_cast<char>(stream);
  out += payload;
}

}  // namespace

std::string Http2Bytes(Input& input, bool with_preface) {
  const uint8_t choices = input.Byte();
  std::string out;
  if ((choices & kNoBeginning) == 0) {
    out = Cat(with_preface ? kPreface : std::string_view(), kEmptySettings);
  }
  if ((choices & kRaw) != 0) return Cat(out, input.rest());
  for (int i = 0; i < kFramesMax && !input.empty(); ++i) AppendFrame(out, input);
  return out;
}

}  // namespace troth::fuzz
