#pragma once
// The Huffman code of HPACK's strings (RFC 7541 appendix B), reading only: what we write ourselves
// is not coded, which every peer has to read as well and which costs neither side time.

#include <string>
#include <string_view>

namespace troth::net {

// Appends what `coded` stands for. False when it is no string of the code; `out` holds a part then.
bool HuffmanDecode(std::string_view coded, std::string& out);

}  // namespace troth::net
