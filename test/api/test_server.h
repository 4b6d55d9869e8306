#pragma once
// A server with a memory store on free ports, and clients that wait for their answers. One for each
// test; nothing waits longer than net::kTestPatience.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "net/grpc_client.h"
#include "net/http1_client.h"
#include "net/http1_server.h"
#include "net/net_testing.h"
#include "server/server.h"

namespace troth {

class TestServer {
 public:
  // `settings` are environment variables on top of those that make it a test's server.
  explicit TestServer(Environment settings = {});
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::string http_url(std::string_view path) const;

  // An error of the connection has status 0 and its text as the body.
  net::HttpClientResponse Send(std::string_view method,
                               std::string_view path,
                               std::string_view body = "");
  net::HttpClientResponse Get(std::string_view path) { return Send("GET", path); }
  net::HttpClientResponse Post(std::string_view path, std::string_view body) {
    return Send("POST", path, body);
  }
  // `message` is a serialized request of dtmgimp.Dtm/`method`.
  net::UnaryResult CallGrpc(std::string_view method, std::string_view message);

  // Asks until the body has `text`; the last body either way.
  std::string GetUntil(std::string_view path, std::string_view text);

  void Stop();  // as SIGTERM; returns at once

  uint16_t http_port() const { return server_->http_port(); }

 private:
  std::unique_ptr<Server> server_;
  std::thread thread_;
  net::LoopThread client_thread_;
  std::unique_ptr<net::HttpClient> http_;
  std::shared_ptr<net::Channel> grpc_;
  bool stopped_ = false;
};

// A business service: answers each path as told, 200 with an empty body else, and counts.
class TestService {
 public:
  TestService();
  ~TestService();
  TestService(const TestService&) = delete;
  TestService& operator=(const TestService&) = delete;

  std::string url(std::string_view path) const;
  void Answer(std::string path, int status, std::string body = "");
  // How often the path was called.
  int Calls(std::string_view path) const;
  std::string LastBody(std::string_view path) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
  net::LoopThread thread_;
  std::unique_ptr<net::HttpServer> server_;
};

// The body of a msg or saga with one step for each URL (and URL + "Undo" to compensate).
std::string TransBody(std::string_view gid,
                      std::string_view type,
                      const std::vector<std::string>& urls,
                      bool wait_result = true);

}  // namespace troth
