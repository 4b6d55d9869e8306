#include "api/test_server.h"

#include <gtest/gtest.h>

#include <future>
#include <map>

#include "absl/synchronization/mutex.h"
#include "base/text.h"
#include "config/config.h"

namespace troth {
namespace {

std::unique_ptr<Server> StartServer(Environment settings) {
  settings.emplace("STORE_DRIVER", "memory");
  settings.emplace("HTTP_PORT", "0");
  settings.emplace("GRPC_PORT", "0");
  settings.emplace("SHARDS", "2");
  StatusOr<Config> config = LoadConfig(std::nullopt, settings);
  if (!config.ok()) {
    ADD_FAILURE() << Message(config.status());
    std::abort();
  }
  StatusOr<std::unique_ptr<Server>> server = Server::Start(*std::move(config), false);
  if (!server.ok()) {
    ADD_FAILURE() << Message(server.status());
    std::abort();
  }
  return *std::move(server);
}

template <typename T>
T Await(const std::shared_ptr<std::promise<T>>& promise) {
  std::future<T> future = promise->get_future();
  if (future.wait_for(net::kTestPatience) == std::future_status::ready) return future.get();
  ADD_FAILURE() << "no answer in time";
  return T{};
}

}  // namespace

TestServer::TestServer(Environment settings)
    : server_(StartServer(std::move(settings))), thread_([this] { server_->Run(); }) {
  client_thread_.Do([this] {
    http_ = std::make_unique<net::HttpClient>(client_thread_.loop(), net::HttpClientOptions{});
    grpc_ = net::Channel::Make(
        client_thread_.loop(), Cat("127.0.0.1:", server_->grpc_port()), net::ChannelOptions{});
  });
}

TestServer::~TestServer() {
  client_thread_.Do([this] {
    http_.reset();
    grpc_->Close(Duration(0));
    grpc_.reset();
  });
  Stop();
  thread_.join();
}

void TestServer::Stop() {
  if (!std::exchange(stopped_, true)) server_->Stop();
}

std::string TestServer::http_url(std::string_view path) const {
  return Cat("http://127.0.0.1:", server_->http_port(), path);
}

net::HttpClientResponse TestServer::Send(std::string_view method,
                                         std::string_view path,
                                         std::string_view body) {
  auto promise = std::make_shared<std::promise<net::HttpClientResponse>>();
  client_thread_.Do([&] {
    const std::string url = http_url(path);
    const net::HttpClientRequest request{.method = method,
                                         .url = url,
                                         .headers = {},
                                         .body = body,
                                         .timeout = net::kTestPatience,
                                         .connect_to = {}};
    http_->Send(request, [promise](StatusOr<net::HttpClientResponse> answer) {
      promise->set_value(
          answer.ok()
              ? *std::move(answer)
              : net::HttpClientResponse{
                    .status = 0, .headers = {}, .body = std::string(Message(answer.status()))});
    });
  });
  return Await(promise);
}

net::UnaryResult TestServer::CallGrpc(std::string_view method, std::string_view message) {
  auto promise = std::make_shared<std::promise<net::UnaryResult>>();
  client_thread_.Do([&] {
    const std::string path = Cat("/dtmgimp.Dtm/", method);
    grpc_->Unary({.path = path, .message = message, .timeout = net::kTestPatience},
                 [promise](net::UnaryResult result) { promise->set_value(std::move(result)); });
  });
  return Await(promise);
}

std::string TestServer::GetUntil(std::string_view path, std::string_view text) {
  std::string body;
  net::Eventually([&] {
    body = Get(path).body;
    return body.find(text) != body.npos;
  });
  return body;
}

struct TestService::Impl {
  struct Path {
    int status = 200;
    std::string body;
    int calls = 0;
    std::string last_body;
  };
  absl::Mutex mutex;
  std::map<std::string, Path, std::less<>> paths ABSL_GUARDED_BY(mutex);

  net::HttpResponse Serve(const net::HttpRequest& request) {
    absl::MutexLock lock(&mutex);
    Path& path = paths[request.path];
    ++path.calls;
    path.last_body = request.body;
    net::HttpResponse response;
    response.status = path.status;
    response.body = path.body;
    return response;
  }
};

TestService::TestService() : impl_(std::make_shared<Impl>()) {
  server_ =
      std::make_unique<net::HttpServer>(std::vector<net::Loop*>{&thread_.loop()},
                                        net::HttpServerOptions{},
                                        [impl = impl_](const std::shared_ptr<net::HttpCall>& call) {
                                          call->Respond(impl->Serve(call->request()));
                                        });
  const Status status = server_->Listen("127.0.0.1:0");
  EXPECT_TRUE(status.ok()) << Message(status);
}

TestService::~TestService() {
  thread_.Do([this] { server_.reset(); });
}

std::string TestService::url(std::string_view path) const {
  return Cat("http://127.0.0.1:", server_->port(), path);
}

void TestService::Answer(std::string path, int status, std::string body) {
  absl::MutexLock lock(&impl_->mutex);
  Impl::Path& answer = impl_->paths[std::move(path)];
  answer.status = status;
  answer.body = std::move(body);
}

int TestService::Calls(std::string_view path) const {
  absl::MutexLock lock(&impl_->mutex);
  const auto found = impl_->paths.find(path);
  return found == impl_->paths.end() ? 0 : found->second.calls;
}

std::string TestService::LastBody(std::string_view path) const {
  absl::MutexLock lock(&impl_->mutex);
  const auto found = impl_->paths.find(path);
  return found == impl_->paths.end() ? std::string() : found->second.last_body;
}

std::string TransBody(std::string_view gid,
                      std::string_view type,
                      const std::vector<std::string>& urls,
                      bool wait_result) {
  std::string steps;
  std::string payloads;
  for (const std::string& url : urls) {
    const std::string_view comma = steps.empty() ? "" : ",";
    CatTo(steps, comma, R"({"action":")", url, R"(")");
    if (type == "saga") CatTo(steps, R"(,"compensate":")", url, R"(Undo")");
    steps += '}';
    CatTo(payloads, comma, R"("{}")");
  }
  return Cat(R"({"gid":")", gid, R"(","trans_type":")", type, R"(","steps":[)", steps)
      .append(Cat(R"(],"payloads":[)", payloads, R"(],"wait_result":)"))
      .append(wait_result ? "true}" : "false}");
}

}  // namespace troth
