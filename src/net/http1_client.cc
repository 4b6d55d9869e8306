#include "net/http1_client.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "net/http1_pool_internal.h"
#include "net/http1_proxy_internal.h"
#include "net/http1_text_internal.h"
#include "net/http1_url_internal.h"

namespace troth::net {

namespace {

using OwnedHeaders = std::vector<std::pair<std::string, std::string>>;

// A request in flight, through all its redirects.
struct Pending {
  explicit Pending(Loop& loop) : deadline(loop) {}

  uint64_t id = 0;
  std::string method;
  HttpUrl url;
  OwnedHeaders headers;
  std::string body;
  std::optional<HostPort> connect_to;
  Duration timeout{};
  HttpDone done;

  Timer deadline;
  uint32_t redirects = 0;
  bool repeated = false;     // once already, after a stale connection
  bool used_before = false;  // the connection it is on now
  std::shared_ptr<HttpClientConnection> connection;
};

bool IsIdempotent(std::string_view method) {
  constexpr std::string_view kIdempotent[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  return std::find(std::begin(kIdempotent), std::end(kIdempotent), method) != std::end(kIdempotent);
}

bool UsuallyHasBody(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

bool Has(const OwnedHeaders& headers, std::string_view name) {
  return FindHeader(headers, name).has_value();
}

Status CheckHeader(std::string_view name, std::string_view value) {
  if (!IsHttpToken(name)) {
    return InvalidArgument(Cat("'", ToValidUtf8(name), "' cannot be the name of an HTTP header"));
  }
  if (!IsHttpFieldValue(value)) {
    return InvalidArgument(
        Cat("the value of header ", name, " has a line break or control character"));
  }
  return OkStatus();
}

// Reads and checks what the caller gave, before anything is sent.
Status Fill(const HttpClientRequest& request, Pending& pending) {
  if (!IsHttpToken(request.method)) return InvalidArgument("the HTTP method is not a word");
  TROTH_ASSIGN_OR_RETURN(pending.url, ParseHttpUrl(request.url));
  if (!request.connect_to.empty()) {
    TROTH_ASSIGN_OR_RETURN(pending.connect_to, ParseHostPort(request.connect_to));
  }
  for (const auto& [name, value] : request.headers) {
    TROTH_RETURN_IF_ERROR(CheckHeader(name, value));
    if (!IsFramingHeader(name)) pending.headers.emplace_back(name, value);
  }
  pending.method = request.method;
  pending.body = request.body;
  return OkStatus();
}

struct ProxyUse {
  bool absolute_target = false;  // a plain request that the proxy passes on
  std::string authorization;
};

std::string RequestBytes(const Pending& pending,
                         const ProxyUse& proxy,
                         std::string_view user_agent) {
  const OwnedHeaders& headers = pending.headers;
  const std::string target = proxy.absolute_target ? AbsoluteUrl(pending.url) : pending.url.target;
  std::string bytes = Cat(pending.method, " ", target, " HTTP/1.1\r\n");
  if (!Has(headers, "Host")) CatTo(bytes, "Host: ", HostHeader(pending.url), "\r\n");
  if (!Has(headers, "User-Agent")) CatTo(bytes, "User-Agent: ", user_agent, "\r\n");
  if (!Has(headers, "Accept-Encoding")) bytes += "Accept-Encoding: gzip\r\n";
  if (!pending.url.userinfo.empty() && !Has(headers, "Authorization")) {
    CatTo(bytes, "Authorization: Basic ", Base64Encode(pending.url.userinfo), "\r\n");
  }
  if (!proxy.authorization.empty())
    CatTo(bytes, "Proxy-Authorization: ", proxy.authorization, "\r\n");
  for (const auto& [name, value] : headers) CatTo(bytes, name, ": ", value, "\r\n");
  if (!pending.body.empty() || UsuallyHasBody(pending.method)) {
    CatTo(bytes, "Content-Length: ", pending.body.size(), "\r\n");
  }
  CatTo(bytes, "\r\n", pending.body);
  return bytes;
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// The same host or one below it may see what was meant for `from`.
bool StaysWithin(const HttpUrl& from, const HttpUrl& to) {
  return to.host == from.host || to.host.ends_with(Cat(".", from.host));
}

// Turns the request into the one a redirect asks for.
Status Follow(const HttpClientResponse& answer, uint32_t redirects_max, Pending& pending) {
  const auto location = FindHeader(answer.headers, "Location");
  if (!location)
    return Unavailable(Cat("redirected with status ", answer.status, " but without a Location"));
  if (pending.redirects++ == redirects_max) {
    return Unavailable(Cat("stopped after ", redirects_max, " redirects"));
  }
  TROTH_ASSIGN_OR_RETURN(HttpUrl next, ResolveLocation(pending.url, *location));
  if (!StaysWithin(pending.url, next)) {
    std::erase_if(pending.headers, [](const auto& header) {
      return EqualsIgnoreCase(header.first, "Authorization") ||
             EqualsIgnoreCase(header.first, "Cookie");
    });
  }
  const bool same_server = next.host == pending.url.host && next.port == pending.url.port;
  if (!same_server) {
    pending.connect_to.reset();
    std::erase_if(pending.headers,
                  [](const auto& header) { return EqualsIgnoreCase(header.first, "Host"); });
  }
  if (answer.status < 307 && pending.method != "GET" && pending.method != "HEAD") {
    pending.method = "GET";
    pending.body.clear();
  }
  pending.url = std::move(next);
  return OkStatus();
}

}  // namespace

struct HttpClient::Impl : std::enable_shared_from_this<HttpClient::Impl> {
  Impl(Loop& on_loop, const HttpClientOptions& client_options)
      : loop(on_loop),
        options(client_options),
        proxies(options.proxy_from_environment ? HttpProxySettings::FromProcess()
                                               : HttpProxySettings()),
        pool(loop, options) {}

  void Start(uint64_t id);
  StatusOr<HttpRoute> RouteFor(const Pending& pending, ProxyUse& proxy) const;
  void Attempt(Pending& pending, bool fresh);
  void OnConnection(uint64_t id, const ProxyUse& proxy, StatusOr<HttpConnectionPool::Lease> lease);
  void OnEnd(uint64_t id, HttpExchangeEnd end);
  void OnAnswer(Pending& pending, HttpClientResponse answer);
  void OnDeadline(uint64_t id);
  // Lets go of whatever the request uses and tells its caller.
  void Finish(uint64_t id, StatusOr<HttpClientResponse> result);
  void FinishLater(uint64_t id, const Status& status);
  Pending* Find(uint64_t id);

  Loop& loop;
  const HttpClientOptions options;
  const HttpProxySettings proxies;
  HttpConnectionPool pool;
  std::unordered_map<uint64_t, std::unique_ptr<Pending>> requests;
  uint64_t last_id = 0;
};

Pending* HttpClient::Impl::Find(uint64_t id) {
  const auto found = requests.find(id);
  return found != requests.end() ? found->second.get() : nullptr;
}

void HttpClient::Impl::Start(uint64_t id) {
  Pending* pending = Find(id);
  if (pending != nullptr) Attempt(*pending, /*fresh=*/false);
}

StatusOr<HttpRoute> HttpClient::Impl::RouteFor(const Pending& pending, ProxyUse& proxy) const {
  const HttpUrl& url = pending.url;
  const bool https = url.scheme == "https";
  HttpRoute route{{url.host, url.port}, https ? url.host : "", {}, {}};
  if (pending.connect_to) {
    route.dial = *pending.connect_to;
    return route;
  }
  TROTH_ASSIGN_OR_RETURN(const std::optional<HttpProxy> through, proxies.For(url));
  if (!through) return route;
  route.dial = through->address;
  if (https) {
    route.tunnel = FormatHostPort(url.host, url.port);
    route.proxy_authorization = through->authorization;
  } else {
    proxy = {/*absolute_target=*/true, through->authorization};
  }
  return route;
}

void HttpClient::Impl::Attempt(Pending& pending, bool fresh) {
  ProxyUse proxy;
  const auto route = RouteFor(pending, proxy);
  if (!route.ok()) return Finish(pending.id, route.status());
  pool.Acquire(pending.id,
               *route,
               fresh,
               [this, id = pending.id, proxy](StatusOr<HttpConnectionPool::Lease> lease) {
                 OnConnection(id, proxy, std::move(lease));
               });
}

void HttpClient::Impl::OnConnection(uint64_t id,
                                    const ProxyUse& proxy,
                                    StatusOr<HttpConnectionPool::Lease> lease) {
  Pending* pending = Find(id);
  if (pending == nullptr) return;
  if (!lease.ok()) return Finish(id, lease.status());
  pending->connection = std::move(lease->connection);
  pending->used_before = lease->used_before;
  pending->connection->Exchange(RequestBytes(*pending, proxy, options.user_agent),
                                pending->method == "HEAD",
                                [weak = weak_from_this(), id](HttpExchangeEnd end) {
                                  if (const auto self = weak.lock())
                                    self->OnEnd(id, std::move(end));
                                });
}

void HttpClient::Impl::OnEnd(uint64_t id, HttpExchangeEnd end) {
  Pending* pending = Find(id);
  pool.Release(std::exchange(pending->connection, nullptr));
  if (end.answer.ok()) return OnAnswer(*pending, *std::move(end.answer));
  const bool stale = pending->used_before && end.received_nothing && !pending->repeated;
  if (stale && (end.sent_nothing || IsIdempotent(pending->method))) {
    pending->repeated = true;
    return Attempt(*pending, /*fresh=*/true);
  }
  Finish(id, end.answer.status());
}

void HttpClient::Impl::OnAnswer(Pending& pending, HttpClientResponse answer) {
  if (!IsRedirect(answer.status)) return Finish(pending.id, std::move(answer));
  if (Status followed = Follow(answer, options.redirects_max, pending); !followed.ok()) {
    return Finish(
        pending.id,
        MakeStatus(followed.code(), Cat(AbsoluteUrl(pending.url), ": ", Message(followed))));
  }
  pending.repeated = false;
  Attempt(pending, /*fresh=*/false);
}

void HttpClient::Impl::OnDeadline(uint64_t id) {
  const Pending& pending = *Find(id);
  const char* doing = "connecting";
  if (pending.connection != nullptr) doing = "waiting for the answer";
  if (pool.IsQueued(id)) doing = "waiting for a free connection";
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(pending.timeout).count();
  Finish(id,
         DeadlineExceeded(Cat("no answer from ",
                              HostHeader(pending.url),
                              " within ",
                              milliseconds,
                              " ms; it ended ",
                              doing)));
}

void HttpClient::Impl::Finish(uint64_t id, StatusOr<HttpClientResponse> result) {
  auto node = requests.extract(id);
  const std::unique_ptr<Pending>& pending = node.mapped();
  if (pending->connection != nullptr) {
    pending->connection->Close();  // an exchange in the middle cannot go on
    pool.Release(pending->connection);
  } else {
    pool.Forget(id);
  }
  const HttpDone done = std::move(pending->done);
  const auto keep = shared_from_this();  // `done` may destroy the client
  done(std::move(result));
}

void HttpClient::Impl::FinishLater(uint64_t id, const Status& status) {
  loop.Post([weak = weak_from_this(), id, status] {
    const auto self = weak.lock();
    if (self != nullptr && self->Find(id) != nullptr) self->Finish(id, status);
  });
}

HttpClient::HttpClient(Loop& loop, HttpClientOptions options)
    : impl_(std::make_shared<Impl>(loop, options)) {}

HttpClient::~HttpClient() {
  for (auto& [id, pending] : impl_->requests) {
    if (pending->connection != nullptr) pending->connection->Close();
    impl_->loop.Post(
        [done = std::move(pending->done)] { done(Cancelled("the HTTP client was closed")); });
  }
}

uint64_t HttpClient::Send(const HttpClientRequest& request, HttpDone done) {
  const uint64_t id = ++impl_->last_id;
  auto pending = std::make_unique<Pending>(impl_->loop);
  pending->id = id;
  pending->done = std::move(done);
  pending->timeout = request.timeout;
  const Status filled = Fill(request, *pending);
  pending->deadline.set_callback([impl = impl_.get(), id] { impl->OnDeadline(id); });
  if (filled.ok()) pending->deadline.ArmAfter(request.timeout);
  impl_->requests.emplace(id, std::move(pending));
  if (!filled.ok()) {
    impl_->FinishLater(id, filled);
  } else {
    impl_->loop.Post([weak = impl_->weak_from_this(), id] {
      if (const auto self = weak.lock()) self->Start(id);
    });
  }
  return id;
}

void HttpClient::Cancel(uint64_t id) {
  impl_->FinishLater(id, Cancelled("the request was cancelled"));
}

size_t HttpClient::requests_in_flight() const { return impl_->requests.size(); }

}  // namespace troth::net
