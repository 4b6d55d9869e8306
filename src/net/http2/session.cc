#include "net/http2/session.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace troth::net {

Http2Session::Http2Session(const Http2Options& options, Listener& listener)
    : options_(options), listener_(listener), reader_(options.server) {
  if (!options_.server) written_ = kClientPreface;
  WriteSettings();
}

Http2Session::~Http2Session() { Close(); }

void Http2Session::WriteSettings() {
  const std::pair<Setting, uint32_t> of_side =
      options_.server ? std::pair(Setting::kConcurrentStreamsMax, options_.streams_max)
                      : std::pair(Setting::kEnablePush, 0U);
  const std::array settings = {std::pair(Setting::kInitialWindowSize, options_.stream_window_bytes),
                               std::pair(Setting::kHeaderListSizeMax, options_.header_bytes_max),
                               of_side};
  constexpr uint32_t kSettingBytes = 6;
  AppendFrameHeader({.length = kSettingBytes * static_cast<uint32_t>(settings.size()),
                     .type = FrameType::kSettings},
                    written_);
  for (const auto& [setting, value] : settings) {
    AppendUint16(static_cast<uint16_t>(setting), written_);
    AppendUint32(value, written_);
  }
  if (options_.connection_window_bytes > kInitialWindow) {
    WriteWindowUpdate(0, options_.connection_window_bytes - kInitialWindow);
  }
}

Status Http2Session::Feed(std::string_view bytes) {
  if (!fault_text_.empty()) return Unavailable(fault_text_);
  WantWrite();  // perhaps there is an answer, perhaps this is the end
  while (!terminated_) {
    const std::optional<Frame> frame = reader_.Next(bytes);
    if (!frame) break;
    const Http2Fault fault = OnFrame(*frame);
    if (!fault.ok()) return Break(fault);
  }
  return reader_.fault().ok() ? OkStatus() : Break(reader_.fault());
}

Status Http2Session::Break(const Http2Fault& fault) {
  fault_text_ = fault.text;
  Terminate(fault.error);
  return Unavailable(fault_text_);
}

bool Http2Session::Finished() const {
  if (HasOutput()) return false;
  // A client that says GOAWAY closes the connection itself, and is answered until then: closed
  // under what it still sends, it would see a reset.
  const bool leaving = go_away_sent_ || (go_away_received_ && !options_.server);
  return terminated_ || (streams_.empty() && leaving);
}

Status Http2Session::Open(StreamPtr stream, std::span<const Http2Header> headers, bool end) {
  if (closed_ || terminated_ || go_away_received_) {
    return Unavailable("cannot open a stream: the connection is ending");
  }
  if (next_id_ > kStreamIdMax) {
    return Unavailable("cannot open a stream: the connection has used up its stream ids");
  }
  Http2Stream& opened = *stream;
  Attach(std::move(stream), std::exchange(next_id_, next_id_ + 2));
  SendHeadersOf(opened, headers, end);
  opened.headers_end_ = pulled_before_ + written_.size();
  return OkStatus();
}

bool Http2Session::MayOpen() const {
  return streams_.size() < peer_streams_max_ && next_id_ <= kStreamIdMax && !go_away_received_ &&
         !terminated_ && !closed_;
}

// Two steps (RFC 9113 section 6.8): first only a notice, and once the peer has answered a PING sent
// after it, and so knows, the id of the last stream taken. Streams opened in between are not lost.
void Http2Session::StartDrain() {
  if (std::exchange(draining_, true)) return;
  WriteGoAway(kStreamIdMax, Http2Error::kNone);
  WritePing(kPingOfDrain, 0);
}

void Http2Session::Terminate(Http2Error error) {
  if (std::exchange(terminated_, true)) return;
  WriteGoAway(last_peer_id_, error);
}

void Http2Session::Close() {
  if (std::exchange(closed_, true)) return;
  std::vector<uint32_t> ids;
  for (const auto& [id, stream] : streams_) ids.push_back(id);
  std::ranges::sort(ids);
  for (const uint32_t id : ids) {
    if (Http2Stream* stream = Find(id)) Detach(*stream, Http2Error::kInternal, true);
  }
  written_.clear();
  written_taken_ = 0;
}

Http2Stream* Http2Session::Find(uint32_t id) {
  if (last_found_ != nullptr && last_found_->id_ == id) return last_found_;
  const auto found = streams_.find(id);
  if (found == streams_.end()) return nullptr;
  last_found_ = found->second;
  return last_found_;
}

void Http2Session::Attach(StreamPtr stream, uint32_t id) {
  Http2Stream& attached = *stream;
  attached.session_ = this;
  attached.id_ = id;
  attached.send_window_ = stream_send_window_;
  attached.rules_ = MessageRules(options_.server ? MessageRules::Message::kRequest
                                                 : MessageRules::Message::kAnswer);
  attached.self_ = std::move(stream);
  streams_.emplace(id, &attached);
  last_found_ = &attached;
}

void Http2Session::Detach(Http2Stream& stream, Http2Error error, bool connection_lost) {
  const StreamPtr keep_alive = std::move(stream.self_);
  if (last_found_ == &stream) last_found_ = nullptr;
  streams_.erase(stream.id_);
  stream.session_ = nullptr;
  queued_bytes_ -= stream.queue_.size();
  stream.queue_.Clear();
  if (options_.server && stream.peer_ended_) past_streams_.OnPeerEnd(stream.id_);
  const bool unseen = stream.headers_end_ > pulled_before_ + written_taken_;
  stream.OnClose(
      {.error = error,
       .connection_lost = connection_lost,
       .never_handled = !options_.server && (unseen || error == Http2Error::kRefusedStream)});
  listener_.OnStreamGone();
}

void Http2Session::CloseAbove(uint32_t last_id) {
  std::vector<uint32_t> ids;
  for (const auto& [id, stream] : streams_) {
    if (id > last_id) ids.push_back(id);
  }
  std::ranges::sort(ids);
  for (const uint32_t id : ids) {
    if (Http2Stream* stream = Find(id)) Detach(*stream, Http2Error::kRefusedStream);
  }
}

void Http2Session::WantWrite() {
  if (wants_write_told_ || pulling_ || closed_) return;
  wants_write_told_ = true;
  listener_.OnWantsWrite();
}

}  // namespace troth::net
