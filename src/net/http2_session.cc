#include "net/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "net/http2_callbacks.h"

namespace troth::net {

namespace {

// A peer may cancel as many streams as it may have open at once, and after that this many a second.
constexpr uint64_t kResetsBurst = 4096;
constexpr uint64_t kResetsPerSecond = 1000;
// Answers to PING and SETTINGS that wait because the peer does not read.
constexpr size_t kOutboundAcksMax = 512;
constexpr size_t kContinuationsMax = 8;

constexpr std::array<uint8_t, 8> kPingOfDrain = {'d', 'r', 'a', 'i', 'n', 'i', 'n', 'g'};

nghttp2_session* NewSession(bool server, Http2Session* owner) {
  nghttp2_option* option = nullptr;
  TROTH_CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_max_outbound_ack(option, kOutboundAcksMax);
  nghttp2_option_set_stream_reset_rate_limit(option, kResetsBurst, kResetsPerSecond);
  nghttp2_option_set_max_continuations(option, kContinuationsMax);
  nghttp2_session* session = nullptr;
  const nghttp2_session_callbacks* callbacks = Http2CallbackTable();
  const int failed = server ? nghttp2_session_server_new2(&session, callbacks, owner, option)
                            : nghttp2_session_client_new2(&session, callbacks, owner, option);
  nghttp2_option_del(option);
  TROTH_CHECK(failed == 0);  // only memory can be missing
  return session;
}

// Name and value as nghttp2 wants them.
nghttp2_nv ToNv(const Http2Header& header) {
  uint8_t flags = NGHTTP2_NV_FLAG_NONE;
  if (header.never_index) flags |= NGHTTP2_NV_FLAG_NO_INDEX;
  if (header.constant_name) flags |= NGHTTP2_NV_FLAG_NO_COPY_NAME;
  if (header.constant_value) flags |= NGHTTP2_NV_FLAG_NO_COPY_VALUE;
  const auto bytes = [](std::string_view text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
  };
  return {bytes(header.name), bytes(header.value), header.name.size(), header.value.size(), flags};
}

// The headers of one block: a small array, because nearly every block is small.
class NvList {
 public:
  explicit NvList(std::span<const Http2Header> headers) : size_(headers.size()) {
    nghttp2_nv* to = few_.data();
    if (size_ > few_.size()) {
      many_.resize(size_);
      to = many_.data();
    }
    for (const Http2Header& header : headers) *to++ = ToNv(header);
  }
  const nghttp2_nv* data() const { return many_.empty() ? few_.data() : many_.data(); }
  size_t size() const { return size_; }

 private:
  std::array<nghttp2_nv, 24> few_;
  std::vector<nghttp2_nv> many_;
  size_t size_;
};

nghttp2_data_provider DataOf(Http2Stream* stream) {
  return {.source = {.ptr = stream}, .read_callback = Http2ReadData};
}

}  // namespace

Http2Stream::~Http2Stream() = default;

void Http2Stream::SendHeaders(std::span<const Http2Header> headers, bool end) {
  if (session_ == nullptr || reset_ || headers_submitted_) return;
  headers_submitted_ = true;
  const NvList list(headers);
  const nghttp2_data_provider data = DataOf(this);
  nghttp2_submit_response(session_->session_, id_, list.data(), list.size(), end ? nullptr : &data);
  session_->WantWrite();
}

void Http2Stream::SendData(std::string_view bytes) {
  if (session_ == nullptr || reset_) return;
  queue_.Append(bytes);
  session_->unsent_total_ += bytes.size();
  DataAdded();
}

void Http2Stream::SendData(std::string&& bytes) {
  if (session_ == nullptr || reset_) return;
  session_->unsent_total_ += bytes.size();
  queue_.Append(std::move(bytes));
  DataAdded();
}

void Http2Stream::DataAdded() {
  if (!std::exchange(data_deferred_, false)) return;
  nghttp2_session_resume_data(session_->session_, id_);
  session_->WantWrite();
}

void Http2Stream::EndWithTrailers() { EndAfterData(End::kTrailers); }

void Http2Stream::EndSend() { EndAfterData(End::kPlain); }

void Http2Stream::EndAfterData(End end) {
  if (session_ == nullptr || reset_ || end_ != End::kOpen) return;
  end_ = end;
  // With all data gone, trailers need neither an empty DATA frame before them nor a window to send
  // it.
  if (end == End::kTrailers && headers_submitted_ && queue_.size() == 0) return SubmitTrailers();
  DataAdded();
}

void Http2Stream::SubmitTrailers() {
  trailers_submitted_ = true;
  std::vector<Http2Header>& trailers = session_->trailers_;
  trailers.clear();
  AddTrailers(trailers);
  const NvList list(trailers);
  nghttp2_submit_trailer(session_->session_, id_, list.data(), list.size());
  session_->WantWrite();
}

void Http2Stream::Reset(Http2Error error) {
  if (session_ == nullptr || std::exchange(reset_, true)) return;
  session_->unsent_total_ -= queue_.size();
  queue_.Clear();
  nghttp2_submit_rst_stream(
      session_->session_, NGHTTP2_FLAG_NONE, id_, static_cast<uint32_t>(error));
  session_->WantWrite();
}

Http2Session::Http2Session(const Http2Options& options, Listener& listener)
    : options_(options),
      listener_(listener),
      session_(NewSession(options.server, this)),
      guard_(options.server) {
  SubmitSettings();
}

Http2Session::~Http2Session() {
  Close();
  nghttp2_session_del(session_);
}

void Http2Session::SubmitSettings() {
  std::array<nghttp2_settings_entry, 3> entries = {{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options_.stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options_.header_bytes_max},
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
  }};
  if (options_.server) entries[2] = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options_.streams_max};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries.data(), entries.size());
  nghttp2_session_set_local_window_size(
      session_, NGHTTP2_FLAG_NONE, 0, static_cast<int32_t>(options_.connection_window_bytes));
}

Status Http2Session::Feed(std::string_view bytes) {
  if (broken_) return Unavailable(fault_text_);
  const size_t size = guard_.Scan(bytes);
  const ssize_t used =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), size);
  WantWrite();
  if (used >= 0 && guard_.fault() == Http2Error::kNone) return OkStatus();
  return Break(static_cast<int>(std::min<ssize_t>(used, 0)));
}

// `nghttp2_error` is 0 when the guard found the fault.
Status Http2Session::Break(int nghttp2_error) {
  broken_ = true;
  Http2Error error = Http2Error::kProtocol;
  if (nghttp2_error == 0) {
    error = guard_.fault();
    fault_text_ = guard_.fault_text();
  } else {
    if (nghttp2_error == NGHTTP2_ERR_FLOODED) error = Http2Error::kEnhanceYourCalm;
    if (fault_text_.empty()) fault_text_ = nghttp2_strerror(nghttp2_error);
  }
  nghttp2_session_terminate_session(session_, static_cast<uint32_t>(error));
  return Unavailable(fault_text_);
}

void Http2Session::Pull(std::string& out, size_t limit) {
  wants_write_told_ = false;
  out_ = &out;
  out_limit_ = limit;
  while (out.size() < limit) {
    const uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size <= 0) break;
    out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  }
  out_ = nullptr;
  NotifyWritable();
  if (nghttp2_session_want_write(session_) != 0 && out.size() >= limit) WantWrite();
}

void Http2Session::NotifyWritable() {
  if (writable_.empty()) return;
  for (const std::shared_ptr<Http2Stream>& stream : std::exchange(writable_, {})) {
    if (stream->stream_open()) stream->OnUnsentBelow();
  }
}

bool Http2Session::Finished() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

Status Http2Session::Open(std::shared_ptr<Http2Stream> stream,
                          std::span<const Http2Header> headers,
                          bool end) {
  const NvList list(headers);
  const nghttp2_data_provider data = DataOf(stream.get());
  const int32_t id = nghttp2_submit_request(
      session_, nullptr, list.data(), list.size(), end ? nullptr : &data, stream.get());
  if (id < 0) return Unavailable(Cat("cannot open a stream: ", nghttp2_strerror(id)));
  stream->headers_submitted_ = true;
  Attach(std::move(stream), id);
  WantWrite();
  return OkStatus();
}

bool Http2Session::MayOpen() const {
  const uint32_t streams_max =
      nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  return streams_open_ < streams_max && nghttp2_session_check_request_allowed(session_) != 0;
}

void Http2Session::Ping() {
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  WantWrite();
}

// Two steps (RFC 9113 section 6.8): first only a notice, and once the peer has answered a PING sent
// after it, and so knows, the id of the last stream taken. Streams opened in between are not lost.
void Http2Session::StartDrain() {
  if (std::exchange(draining_, true)) return;
  nghttp2_submit_shutdown_notice(session_);
  WantWrite();
}

// nghttp2 would send a PING submitted together with the notice before it.
void Http2Session::OnGoAwaySent() {
  if (!draining_ || std::exchange(drain_ping_sent_, true)) return;
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, kPingOfDrain.data());
}

void Http2Session::Terminate(Http2Error error) {
  nghttp2_session_terminate_session(session_, static_cast<uint32_t>(error));
  WantWrite();
}

void Http2Session::Close() {
  if (std::exchange(closed_, true)) return;
  while (streams_ != nullptr) {
    Detach(*streams_,
           {.error = Http2Error::kInternal,
            .connection_lost = true,
            .never_handled = !options_.server && !streams_->headers_sent_});
  }
}

void Http2Session::Attach(std::shared_ptr<Http2Stream> stream, int32_t id) {
  Http2Stream* attached = stream.get();
  attached->session_ = this;
  attached->id_ = id;
  attached->next_ = streams_;
  if (streams_ != nullptr) streams_->prev_ = attached;
  streams_ = attached;
  attached->self_ = std::move(stream);
  ++streams_open_;
}

void Http2Session::Detach(Http2Stream& stream, const Http2Close& close) {
  const std::shared_ptr<Http2Stream> keep_alive = std::move(stream.self_);
  if (in_headers_ == &stream) in_headers_ = nullptr;
  if (stream.prev_ != nullptr) stream.prev_->next_ = stream.next_;
  if (stream.next_ != nullptr) stream.next_->prev_ = stream.prev_;
  if (streams_ == &stream) streams_ = stream.next_;
  stream.next_ = stream.prev_ = nullptr;
  stream.session_ = nullptr;
  unsent_total_ -= stream.queue_.size();
  stream.queue_.Clear();
  --streams_open_;
  stream.OnClose(close);
  listener_.OnStreamGone();
}

void Http2Session::WantWrite() {
  if (wants_write_told_ || closed_) return;
  wants_write_told_ = true;
  listener_.OnWantsWrite();
}

}  // namespace troth::net
