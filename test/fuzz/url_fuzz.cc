// Addresses in every form that clients, operators and registries write them.

#include "base/check.h"
#include "config/config.h"
#include "discovery/address.h"
#include "discovery/registry_target.h"
#include "discovery/url.h"
#include "input.h"
#include "net/host_port.h"
#include "net/http1_client.h"
#include "net/http1_url_internal.h"
#include "targets.h"

namespace troth::fuzz {
namespace {

void CheckHostPort(std::string_view text) {
  const auto parsed = net::ParseHostPort(text);
  if (!parsed.ok()) return;
  const auto again = net::ParseHostPort(net::FormatHostPort(parsed->host, parsed->port));
  TROTH_CHECK(again.ok() && again->host == parsed->host && again->port == parsed->port);
}

void CheckHttpUrl(std::string_view text) {
  const auto url = net::ParseHttpUrl(text);
  if (!url.ok()) return;
  TROTH_CHECK(!url->host.empty() && url->target.starts_with('/'));
  for (const char c : url->target) TROTH_CHECK(static_cast<unsigned char>(c) > ' ');
  const auto again = net::ParseHttpUrl(net::AbsoluteUrl(*url));
  TROTH_CHECK(again.ok() && again->host == url->host && again->target == url->target);
}

void CheckLocation(std::string_view text) {
  const auto base = net::ParseHttpUrl("http://h:1/a/b?c");
  const auto url = net::ResolveLocation(*base, text);
  if (url.ok()) TROTH_CHECK(url->target.starts_with('/'));
}

void CheckGrpcUrl(std::string_view text) {
  if (const auto address = ParseGrpcUrl(text); address.ok()) {
    TROTH_CHECK(address->method.starts_with('/'));
    static_cast<void>(ParseTarget(address->target));
  }
}

void CheckHttpServiceUrl(std::string_view text) {
  if (const auto address = ParseHttpServiceUrl(text); address.ok()) {
    TROTH_CHECK(address->path.starts_with('/'));
    static_cast<void>(ParseTarget(address->target));
  }
}

void CheckTarget(std::string_view text) {
  if (const auto target = ParseTarget(text); target.ok()) {
    TROTH_CHECK(!target->hosts.empty() || !target->service.empty());
  }
}

}  // namespace

void FuzzUrl(std::string_view bytes) {
  Input input(bytes);
  const uint8_t choice = input.Byte();
  const std::string_view text = input.rest();
  switch (choice % 9) {
    case 0: return CheckHostPort(text);
    case 1: return CheckHttpUrl(text);
    case 2: return CheckLocation(text);
    case 3: return CheckGrpcUrl(text);
    case 4: return CheckHttpServiceUrl(text);
    case 5: return CheckTarget(text);
    case 6: {
      std::vector<std::string> warnings;
      static_cast<void>(ParseEndpoints(text, &warnings));
      return;
    }
    case 7:
      // TLS parameters load certificates from files, which takes its time and is nothing to fuzz.
      if (text.find("tls") == std::string_view::npos &&
          text.find("ssl") == std::string_view::npos) {
        static_cast<void>(ParseRegistryTarget(text));
      }
      return;
    case 8:
      if (const auto url = ParseUrl(text); url.ok()) QueryValue(*url, "k");
      MaskSecrets(text);
      return;
  }
}

}  // namespace troth::fuzz
