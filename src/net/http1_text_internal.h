#pragma once
// Small rules of HTTP/1.1 text that server and client share.

#include <string>
#include <string_view>

#include "net/http1_server.h"

namespace troth::net {

// RFC 9110 5.6.2: what a method or a field name is made of; not empty.
bool IsHttpToken(std::string_view text);
// RFC 9110 5.5: no CR, LF or other control character, so that a value cannot start a new header or
// message.
bool IsHttpFieldValue(std::string_view text);
// No control character and no space: safe in a request line.
bool IsHttpTarget(std::string_view text);

// True for Connection, Content-Length, Transfer-Encoding and the like: the transport writes those
// itself.
bool IsFramingHeader(std::string_view name);
// True when one of the comma separated parts of a header value is `token`, compared without case.
bool HasListToken(std::string_view value, std::string_view token);

// What every chunked body ends with, "0\r\n\r\n" at least. Beast asserts that so much is there when
// it looks at a last chunk again, so nothing shorter of a body is given to it.
inline constexpr size_t kLastChunkBytesMin = 5;

// "OK", "Not Found"...; empty for codes without a registered phrase.
std::string_view ReasonPhrase(int status);

}  // namespace troth::net
