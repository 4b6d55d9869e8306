#pragma once
// One TLS connection without its socket: ciphertext and plaintext go in and out as bytes, so that a
// connection decides alone when to read and write. For one thread.

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/tls.h"

struct bio_st;

namespace troth::net {

class TlsEngine {
 public:
  enum class Side : uint8_t { kServer, kClient };
  // `context` outlives the engine.
  TlsEngine(TlsContext& context, Side side);
  ~TlsEngine();
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  // Client: sets the name to verify. Before the first Feed.
  Status PrepareClient(const TlsContext& context, std::string_view host);

  // Takes the peer's bytes, appends what they mean to `plain`. An empty `cipher` starts a client's
  // handshake. Error: handshake failed or garbage; TakeOutput then has the alert for the peer.
  Status Feed(std::string_view cipher, std::string& plain);
  // After the handshake: appends the encrypted form to `cipher`.
  Status Encrypt(std::string_view plain, std::string& cipher);
  // Appends bytes of TLS's own: handshake, alerts.
  void TakeOutput(std::string& cipher);

  bool handshake_done() const { return handshake_done_; }
  // The peer said goodbye properly.
  bool peer_closed() const { return peer_closed_; }
  // "h2"; empty when none was agreed on.
  std::string_view protocol() const;

 private:
  Status Handshake();
  Status Failure(std::string_view what);

  ssl_st* ssl_;
  bio_st* from_peer_;  // owned by ssl_
  bio_st* to_peer_;    // owned by ssl_
  bool handshake_done_ = false;
  bool peer_closed_ = false;
};

}  // namespace troth::net
