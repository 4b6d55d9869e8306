#pragma once
// What nghttp2 calls while an Http2Session feeds and pulls. Part of http2_session, split off by
// direction.

#include <nghttp2/nghttp2.h>

namespace troth::net {

// Made once; the user data of each session is its Http2Session.
const nghttp2_session_callbacks* Http2CallbackTable();

// Tells how much of a stream's queue the next DATA frame takes, and whether it is the last.
ssize_t Http2ReadData(nghttp2_session* session,
                      int32_t stream_id,
                      uint8_t* buffer,
                      size_t length,
                      uint32_t* data_flags,
                      nghttp2_data_source* source,
                      void* user_data);

}  // namespace troth::net
