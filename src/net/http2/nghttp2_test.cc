// Our sessions against nghttp2's, which nobody here wrote: calls with random headers and data of
// random sizes, pulled and fed in pieces of random sizes, cancelled now and then. Each side hears
// exactly what the other one said.

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/text.h"
#include "net/http2/session.h"

namespace troth::net {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

// What one side of a call said.
struct Message {
  Fields fields;  // without pseudo-headers
  std::string data;
  bool operator==(const Message&) const = default;
};
void PrintTo(const Message& message, std::ostream* out) {
  *out << message.fields.size() << " fields, " << message.data.size() << " bytes";
}

std::string RandomText(Random& random, uint64_t size_max) {
  std::string text(random.Below(size_max + 1), ' ');
  for (char& c : text) c = static_cast<char>('!' + random.Below(94));
  return text;
}

// Few names and values, so that both tables are used; now and then a large or a new one.
Message RandomMessage(Random& random) {
  Message message;
  for (uint64_t left = random.Below(6); left > 0; --left) {
    const std::string value = random.OneIn(5)    ? RandomText(random, 30)
                              : random.OneIn(40) ? RandomText(random, 5000)
                                                 : Cat("value-", random.Below(10));
    message.fields.emplace_back(Cat("name-", random.Below(5)), value);
  }
  message.data = RandomText(random, random.OneIn(20) ? 200000 : 300);
  return message;
}

// Nothing of a call that was cancelled is compared.
struct Call {
  Message request, answer;              // meant
  Message heard_request, heard_answer;  // heard
  bool cancelled = false;
  bool ended = false;
};

// --- ours

std::vector<Http2Header> HeadersOf(const Message& message,
                                   std::initializer_list<Http2Header> pseudo) {
  std::vector<Http2Header> headers(pseudo);
  for (const auto& [name, value] : message.fields) {
    headers.push_back({name, value, value.size() > 20});
  }
  return headers;
}

class OurStream : public Http2Stream {
 public:
  OurStream(Message& heard, bool& ended) : heard_(heard), ended_(ended) {}

 protected:
  void OnHeader(std::string_view name, std::string_view value) override {
    if (!name.starts_with(':')) heard_.fields.emplace_back(name, value);
  }
  void OnHeadersEnd(bool) override {}
  void OnData(std::string_view bytes) override { heard_.data += bytes; }
  void OnHalfClose() override {}
  void OnClose(const Http2Close&) override { ended_ = true; }

 private:
  Message& heard_;
  bool& ended_;
};

// The server's side: calls come in the order they were opened.
class OurAnswer : public OurStream {
 public:
  explicit OurAnswer(Call& call) : OurStream(call.heard_request, unused_), call_(call) {}

 private:
  void OnHalfClose() override {
    SendHeaders(HeadersOf({}, {{":status", "200"}}), false);
    SendData(call_.answer.data);
    EndWithTrailers();
  }
  void AddTrailers(std::vector<Http2Header>& to) override { to = HeadersOf(call_.answer, {}); }

  Call& call_;
  bool unused_ = false;
};

// --- nghttp2's

class Peer {
 public:
  Peer(bool server, std::map<int32_t, std::unique_ptr<Call>>& calls)
      : server_(server), calls_(calls) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    (server ? nghttp2_session_server_new : nghttp2_session_client_new)(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, 0, nullptr, 0);
  }
  ~Peer() { nghttp2_session_del(session_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void Feed(std::string_view bytes) {
    const auto used = nghttp2_session_mem_recv(
        session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    EXPECT_EQ(used, static_cast<ssize_t>(bytes.size())) << nghttp2_strerror(static_cast<int>(used));
  }
  std::string Pull() {
    std::string out;
    const uint8_t* bytes = nullptr;
    for (ssize_t size; (size = nghttp2_session_mem_send(session_, &bytes)) > 0;) {
      out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
    }
    return out;
  }
  void Open(std::unique_ptr<Call> call) {
    Call& opened = *call;
    const Fields pseudo = {
        {":method", "POST"}, {":scheme", "http"}, {":path", "/s/M"}, {":authority", "h"}};
    const auto list = List(pseudo, opened.request.fields);
    const nghttp2_data_provider data = DataOf(opened.request.data);
    const int32_t id =
        nghttp2_submit_request(session_, nullptr, list.data(), list.size(), &data, nullptr);
    ASSERT_GT(id, 0);
    calls_[id] = std::move(call);
  }
  void Cancel(int32_t id) { nghttp2_submit_rst_stream(session_, 0, id, NGHTTP2_CANCEL); }
  void ChangeSettings(Random& random) {
    const std::array<nghttp2_settings_entry, 2> entries = {
        {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<uint32_t>(random.Below(100000))},
         {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, static_cast<uint32_t>(random.Below(5000))}}};
    nghttp2_submit_settings(session_, 0, entries.data(), entries.size());
  }

 private:
  static Peer& Self(void* user) { return *static_cast<Peer*>(user); }

  // Views of both.
  static std::vector<nghttp2_nv> List(const Fields& first, const Fields& then) {
    std::vector<nghttp2_nv> list;
    const auto bytes = [](const std::string& text) {
      return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
    };
    for (const Fields* fields : {&first, &then}) {
      for (const auto& [name, value] : *fields) {
        list.push_back({bytes(name), bytes(value), name.size(), value.size(), 0});
      }
    }
    return list;
  }

  // Sends what `data` holds, which is used up by it.
  nghttp2_data_provider DataOf(const std::string& data) {
    sending_.push_back(std::make_unique<std::string>(data));
    return {.source = {.ptr = sending_.back().get()}, .read_callback = ReadData};
  }
  static ssize_t ReadData(nghttp2_session* session,
                          int32_t id,
                          uint8_t* to,
                          size_t size_max,
                          uint32_t* flags,
                          nghttp2_data_source* source,
                          void* user) {
    std::string& data = *static_cast<std::string*>(source->ptr);
    const size_t size = std::min(size_max, data.size());
    std::copy_n(data.data(), size, to);
    data.erase(0, size);
    if (data.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    Peer& self = Self(user);
    if (data.empty() && self.server_) {
      const Fields added = {{"name-0", ""}};
      const auto list = List(added, self.calls_.at(id)->answer.fields);
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      nghttp2_submit_trailer(session, id, list.data(), list.size());
    }
    return static_cast<ssize_t>(size);
  }

  Message& Heard(int32_t id) {
    Call& call = *calls_.at(id);
    return server_ ? call.heard_request : call.heard_answer;
  }
  static int OnHeader(nghttp2_session*,
                      const nghttp2_frame* frame,
                      const uint8_t* name,
                      size_t name_size,
                      const uint8_t* value,
                      size_t value_size,
                      uint8_t,
                      void* user) {
    if (name[0] == ':') return 0;
    Self(user)
        .Heard(frame->hd.stream_id)
        .fields.emplace_back(std::string(reinterpret_cast<const char*>(name), name_size),
                             std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }
  static int OnData(
      nghttp2_session*, uint8_t, int32_t id, const uint8_t* bytes, size_t size, void* user) {
    Self(user).Heard(id).data.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }
  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Peer& self = Self(user);
    if (!self.server_ || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) return 0;
    const int32_t id = frame->hd.stream_id;
    const Fields status = {{":status", "200"}};
    const auto list = List(status, {});
    const nghttp2_data_provider data = self.DataOf(self.calls_.at(id)->answer.data);
    nghttp2_submit_response(session, id, list.data(), list.size(), &data);
    return 0;
  }
  static int OnClose(nghttp2_session*, int32_t id, uint32_t, void* user) {
    Peer& self = Self(user);
    if (!self.server_) self.calls_.at(id)->ended = true;
    return 0;
  }

  const bool server_;
  std::map<int32_t, std::unique_ptr<Call>>& calls_;
  std::vector<std::unique_ptr<std::string>> sending_;
  nghttp2_session* session_ = nullptr;
};

// --- both

class Ours : public Http2Session::Listener {
 public:
  Ours(bool server, std::map<int32_t, std::unique_ptr<Call>>& calls)
      : session({.server = server}, *this), calls_(calls) {}

  void Open(std::unique_ptr<Call> call) {
    Call& opened = *call;
    const auto stream = std::make_shared<OurStream>(opened.heard_answer, opened.ended);
    const auto headers = HeadersOf(
        opened.request,
        {{":method", "POST"}, {":scheme", "http"}, {":path", "/s/M"}, {":authority", "h"}});
    ASSERT_TRUE(session.Open(stream, headers, false).ok());
    stream->SendData(opened.request.data);
    stream->EndSend();
    streams[stream->stream_id()] = stream;
    calls_[stream->stream_id()] = std::move(call);
  }

  std::map<int32_t, std::weak_ptr<Http2Stream>> streams;
  Http2Session session;

 private:
  void OnWantsWrite() override {}
  std::shared_ptr<Http2Stream> OnNewStream() override {
    auto stream = std::make_shared<OurAnswer>(*calls_.at(next_id_));
    next_id_ += 2;
    return stream;
  }

  std::map<int32_t, std::unique_ptr<Call>>& calls_;
  int32_t next_id_ = 1;
};

class AgainstNghttp2 : public testing::TestWithParam<int> {
 protected:
  // Until both are silent; what goes over is cut anywhere.
  void Talk(Ours& ours, Peer& peer) {
    for (bool said = true; said;) {
      std::string out;
      ours.session.Pull(out, 1 + random_.Below(100000));
      peer.Feed(out);
      const std::string in = peer.Pull();
      said = !out.empty() || !in.empty();
      for (std::string_view rest = in; !rest.empty();) {
        const size_t size = std::min<size_t>(rest.size(), 1 + random_.Below(20000));
        ASSERT_TRUE(ours.session.Feed(rest.substr(0, size)).ok()) << ours.session.fault_text();
        rest.remove_prefix(size);
      }
    }
  }
  std::unique_ptr<Call> NewCall() {
    auto call = std::make_unique<Call>();
    call->request = RandomMessage(random_);
    call->answer = RandomMessage(random_);
    return call;
  }
  void ExpectAllHeard() {
    EXPECT_GT(calls_.size(), 100U);
    for (const auto& [id, call] : calls_) {
      EXPECT_TRUE(call->ended) << id;
      if (call->cancelled) continue;
      EXPECT_EQ(call->heard_request, call->request) << id;
      if (!call->heard_answer.fields.empty() && call->heard_answer.fields.front().second.empty() &&
          peer_adds_a_field_) {
        call->heard_answer.fields.erase(call->heard_answer.fields.begin());
      }
      EXPECT_EQ(call->heard_answer, call->answer) << id;
    }
  }

  Random random_{static_cast<uint64_t>(GetParam())};
  std::map<int32_t, std::unique_ptr<Call>> calls_;
  bool peer_adds_a_field_ = false;  // so that its trailers are never empty
};

TEST_P(AgainstNghttp2, OurClient) {
  peer_adds_a_field_ = true;
  Ours ours(false, calls_);
  Peer peer(true, calls_);
  Talk(ours, peer);
  for (int turn = 0; turn < 60; ++turn) {
    for (uint64_t left = random_.Below(8); left > 0; --left) ours.Open(NewCall());
    if (random_.OneIn(5)) peer.ChangeSettings(random_);
    if (random_.OneIn(4) && !calls_.empty()) {
      const auto& [id, call] = *calls_.rbegin();
      call->cancelled = true;
      if (const auto stream = ours.streams[id].lock()) stream->Reset(Http2Error::kCancel);
    }
    Talk(ours, peer);
  }
  ExpectAllHeard();
  EXPECT_EQ(ours.session.streams_open(), 0U);
}

TEST_P(AgainstNghttp2, OurServer) {
  Ours ours(true, calls_);
  Peer peer(false, calls_);
  Talk(ours, peer);
  for (int turn = 0; turn < 60; ++turn) {
    for (uint64_t left = random_.Below(8); left > 0; --left) peer.Open(NewCall());
    if (random_.OneIn(5)) peer.ChangeSettings(random_);
    if (random_.OneIn(4) && !calls_.empty()) {
      const auto& [id, call] = *calls_.rbegin();
      call->cancelled = true;
      ASSERT_TRUE(ours.session.Feed(peer.Pull()).ok());  // perhaps it is answered already
      peer.Cancel(id);
    }
    Talk(ours, peer);
  }
  ExpectAllHeard();
  EXPECT_EQ(ours.session.streams_open(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AgainstNghttp2, testing::Range(1, 9));

}  // namespace
}  // namespace troth::net
