#include "net/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace troth::net {
namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest window, gzip's header and trailer
constexpr size_t kStepBytes = 16 << 10;

Bytef* Input(std::string_view bytes) {
  return reinterpret_cast<Bytef*>(
      const_cast<char*>(bytes.data()));  // zlib's z_const: never written to
}

}  // namespace

StatusOr<std::string> Gunzip(std::string_view compressed, size_t bytes_max) {
  z_stream stream{};
  TROTH_CHECK(inflateInit2(&stream, kGzipWindow) == Z_OK);
  const struct End {
    z_stream* stream;
    ~End() { inflateEnd(stream); }
  } end{&stream};
  stream.next_in = Input(compressed);
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string plain;
  while (true) {
    const size_t before = plain.size();
    // One byte more than allowed shows that there is more.
    const size_t room = std::min(std::max(before, kStepBytes), bytes_max + 1 - before);
    plain.resize(before + room);
    stream.next_out = reinterpret_cast<Bytef*>(plain.data() + before);
    stream.avail_out = static_cast<uInt>(room);
    const int result = inflate(&stream, Z_NO_FLUSH);
    plain.resize(before + room - stream.avail_out);
    if (plain.size() > bytes_max) {
      return ResourceExhausted(Cat("gzip data inflates to more than ", bytes_max, " bytes"));
    }
    if (result == Z_STREAM_END && stream.avail_in == 0) return plain;
    if (result == Z_STREAM_END && inflateReset(&stream) == Z_OK)
      continue;  // a further member follows
    if (result != Z_OK) return DataLoss("gzip data is damaged or cut short");
  }
}

std::string Gzip(std::string_view plain) {
  z_stream stream{};
  constexpr int kDefaultMemory = 8;
  TROTH_CHECK(deflateInit2(&stream,
                           Z_DEFAULT_COMPRESSION,
                           Z_DEFLATED,
                           kGzipWindow,
                           kDefaultMemory,
                           Z_DEFAULT_STRATEGY) == Z_OK);
  std::string compressed(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = Input(plain);
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  TROTH_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  compressed.resize(stream.total_out);
  deflateEnd(&stream);
  return compressed;
}

}  // namespace troth::net
