#pragma once
// Bytes of one side of an HTTP/2 connection, made from a fuzzer's input.

#include <string>

#include "input.h"

namespace troth::fuzz {

// What the peer sends, by a first byte of choices: the input as it is, or frames whose types,
// flags, streams and payloads it names, so that not every length has to be guessed; with or without
// what a connection begins with.
std::string Http2Bytes(Input& input, bool with_preface);

}  // namespace troth::fuzz
