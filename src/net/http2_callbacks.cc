#include "net/http2_callbacks.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "net/http2_session.h"

namespace troth::net {

namespace {

constexpr size_t kFrameHeaderBytes = 9;

std::string_view View(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

Http2Session& Owner(void* user_data) { return *static_cast<Http2Session*>(user_data); }

Http2Stream* StreamOf(nghttp2_session* session, int32_t id) {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

}  // namespace

// A struct of static functions, so that one friend declaration lets all of them in.
struct Http2Callbacks {
  // --- receiving

  static int OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    Http2Session& owner = Owner(user_data);
    const int32_t id = frame->hd.stream_id;
    if (!owner.options_.server || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
      owner.in_headers_ = StreamOf(session, id);
      return 0;
    }
    owner.in_headers_ = nullptr;
    std::shared_ptr<Http2Stream> stream;
    if (owner.unsent_total_ <= owner.options_.unsent_bytes_max) {
      stream = owner.listener_.OnNewStream();
    }
    if (stream == nullptr) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
      return 0;
    }
    nghttp2_session_set_stream_user_data(session, id, stream.get());
    owner.in_headers_ = stream.get();
    owner.Attach(std::move(stream), id);
    return 0;
  }

  static int OnHeader(nghttp2_session*,
                      const nghttp2_frame*,
                      const uint8_t* name,
                      size_t name_size,
                      const uint8_t* value,
                      size_t value_size,
                      uint8_t,
                      void* user_data) {
    Http2Stream* stream = Owner(user_data).in_headers_;
    if (stream != nullptr) stream->OnHeader(View(name, name_size), View(value, value_size));
    return 0;
  }

  static int OnData(
      nghttp2_session* session, uint8_t, int32_t id, const uint8_t* bytes, size_t size, void*) {
    if (Http2Stream* stream = StreamOf(session, id)) stream->OnData(View(bytes, size));
    return 0;
  }

  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_DATA: OnStreamFrame(session, *frame); break;
      case NGHTTP2_SETTINGS: OnSettings(Owner(user_data), *frame); break;
      case NGHTTP2_PING: OnPing(session, Owner(user_data), *frame); break;
      case NGHTTP2_GOAWAY: OnGoAway(Owner(user_data), *frame); break;
      default: break;  // nghttp2 has done what the other frames ask for
    }
    return 0;
  }

  static void OnStreamFrame(nghttp2_session* session, const nghttp2_frame& frame) {
    Http2Stream* stream = StreamOf(session, frame.hd.stream_id);
    if (stream == nullptr) return;
    const bool end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (end) stream->peer_ended_ = true;
    if (frame.hd.type == NGHTTP2_HEADERS) stream->OnHeadersEnd(end);
    if (end) stream->OnHalfClose();
  }

  static void OnSettings(Http2Session& owner, const nghttp2_frame& frame) {
    if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) return;
    const bool first = !std::exchange(owner.settings_received_, true);
    owner.listener_.OnSettings(first);
  }

  static void OnPing(nghttp2_session* session, Http2Session& owner, const nghttp2_frame& frame) {
    if ((frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) return;
    owner.listener_.OnPingAnswered();
    // Our own keep-alive PINGs are all zero; the other one is StartDrain's.
    if (!owner.draining_ || frame.ping.opaque_data[0] == 0) return;
    const int32_t last = nghttp2_session_get_last_proc_stream_id(session);
    nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0);
  }

  static void OnGoAway(Http2Session& owner, const nghttp2_frame& frame) {
    const nghttp2_goaway& goaway = frame.goaway;
    owner.listener_.OnGoAway(static_cast<Http2Error>(goaway.error_code),
                             View(goaway.opaque_data, goaway.opaque_data_len));
  }

  static int OnStreamClose(nghttp2_session* session,
                           int32_t id,
                           uint32_t error_code,
                           void* user_data) {
    Http2Stream* stream = StreamOf(session, id);
    if (stream == nullptr) return 0;
    Http2Session& owner = Owner(user_data);
    // nghttp2 gives REFUSED_STREAM also to streams above the last id of a GOAWAY.
    const bool never_handled =
        !owner.options_.server && (!stream->headers_sent_ || error_code == NGHTTP2_REFUSED_STREAM);
    owner.Detach(*stream,
                 {.error = static_cast<Http2Error>(error_code),
                  .connection_lost = false,
                  .never_handled = never_handled});
    return 0;
  }

  static int OnError(nghttp2_session*, int, const char* text, size_t size, void* user_data) {
    Owner(user_data).fault_text_.assign(text, size);
    return 0;
  }

  // --- sending

  static ssize_t ReadData(Http2Stream& stream, size_t length, uint32_t* data_flags) {
    *data_flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    const size_t size = std::min(length, stream.queue_.size());
    const bool last = size == stream.queue_.size() && stream.end_ != Http2Stream::End::kOpen;
    if ((size == 0 && !last) || stream.trailers_submitted_) {
      stream.data_deferred_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    if (!last) return static_cast<ssize_t>(size);
    *data_flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream.end_ == Http2Stream::End::kTrailers) {
      *data_flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      stream.SubmitTrailers();
    }
    return static_cast<ssize_t>(size);
  }

  static int SendData(nghttp2_session*,
                      nghttp2_frame*,
                      const uint8_t* frame_header,
                      size_t length,
                      nghttp2_data_source* source,
                      void* user_data) {
    Http2Session& owner = Owner(user_data);
    auto& stream = *static_cast<Http2Stream*>(source->ptr);
    if (owner.out_->size() >= owner.out_limit_) return NGHTTP2_ERR_WOULDBLOCK;
    // Reset threw the data away after nghttp2 had measured it: nothing but the reset will be sent.
    if (stream.queue_.size() < length) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    owner.out_->append(reinterpret_cast<const char*>(frame_header), kFrameHeaderBytes);
    stream.queue_.MoveTo(*owner.out_, length);
    owner.unsent_total_ -= length;
    if (stream.queue_.size() < stream.notify_below_) {
      stream.notify_below_ = 0;
      owner.writable_.push_back(stream.self_);
    }
    return 0;
  }

  static int OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    Http2Session& owner = Owner(user_data);
    if (frame->hd.type == NGHTTP2_GOAWAY) owner.OnGoAwaySent();
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    owner.guard_.OnProgress();
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_DATA && !end) return 0;
    Http2Stream* stream = StreamOf(session, frame->hd.stream_id);
    if (stream == nullptr) return 0;
    stream->headers_sent_ = true;
    stream->send_finished_ = end;
    // The whole answer is out: ask a client that still sends to stop (RFC 9113 section 8.1).
    if (end && owner.options_.server && !stream->peer_ended_) stream->Reset(Http2Error::kNone);
    return 0;
  }
};

ssize_t Http2ReadData(nghttp2_session*,
                      int32_t,
                      uint8_t*,
                      size_t length,
                      uint32_t* data_flags,
                      nghttp2_data_source* source,
                      void*) {
  return Http2Callbacks::ReadData(*static_cast<Http2Stream*>(source->ptr), length, data_flags);
}

const nghttp2_session_callbacks* Http2CallbackTable() {
  static const nghttp2_session_callbacks* const table = [] {
    nghttp2_session_callbacks* made = nullptr;
    TROTH_CHECK(nghttp2_session_callbacks_new(&made) == 0);
    using C = Http2Callbacks;
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, C::OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(made, C::OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, C::OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, C::OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, C::OnStreamClose);
    nghttp2_session_callbacks_set_error_callback2(made, C::OnError);
    nghttp2_session_callbacks_set_send_data_callback(made, C::SendData);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, C::OnFrameSent);
    return made;
  }();
  return table;
}

}  // namespace troth::net
