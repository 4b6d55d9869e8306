// The parts of the HTTP client and server that need no socket.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/text.h"
#include "net/gzip.h"
#include "net/host_port.h"
#include "net/http1_proxy_internal.h"
#include "net/http1_request_reader_internal.h"
#include "net/http1_url_internal.h"

namespace troth::net {
namespace {

TEST(HostPort, ReadsTheFormsPeopleWrite) {
  const struct {
    const char* text;
    const char* host;
    int port;
  } kForms[] = {{":80", "", 80},
                {"h:0", "h", 0},
                {"[::1]:443", "::1", 443},
                {"1.2.3.4:65535", "1.2.3.4", 65535}};
  for (const auto& form : kForms) {
    const auto read = ParseHostPort(form.text);
    ASSERT_TRUE(read.ok()) << form.text;
    EXPECT_EQ(read->host, form.host);
    EXPECT_EQ(read->port, form.port);
    EXPECT_EQ(FormatHostPort(read->host, read->port), form.text);
  }
  for (const char* bad :
       {"", "h", "h:", "h:x", "h:65536", "h:-1", "h:+1", "::1:80", "[::1]", "a b:1", "u@h:1"}) {
    EXPECT_FALSE(ParseHostPort(bad).ok()) << bad;
  }
}

TEST(HttpUrl, TakesUrlsApart) {
  const auto url = ParseHttpUrl("HTTPS://us%3Aer:pw@Host.Example:8443/p%20q?gid=1&x=a b#part");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "host.example");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->target, "/p%20q?gid=1&x=a%20b");
  EXPECT_EQ(url->userinfo, "us:er:pw");
  EXPECT_EQ(ParseHttpUrl("http://h")->target, "/");
  EXPECT_EQ(ParseHttpUrl("http://h?x=1")->target, "/?x=1");
  EXPECT_EQ(ParseHttpUrl("http://h:")->port, 80);
  EXPECT_EQ(ParseHttpUrl("https://[::1]/")->host, "::1");
  EXPECT_EQ(ParseHttpUrl("http://h/\xe4\xb8\xad")->target, "/%E4%B8%AD");
}

TEST(HttpUrl, ResolvesLocations) {
  const HttpUrl base = *ParseHttpUrl("http://h:81/a/b/c?q=1");
  const std::map<std::string, std::string> kResolved = {
      {"https://other/x", "https://other/x"},
      {"//other/x", "http://other/x"},
      {"/x?y", "http://h:81/x?y"},
      {"x", "http://h:81/a/b/x"},
      {"./x/", "http://h:81/a/b/x/"},
      {"../x", "http://h:81/a/x"},
      {"../../../x", "http://h:81/x"},
      {"..", "http://h:81/a/"},
      {"?z=2", "http://h:81/a/b/c?z=2"},
      {"", "http://h:81/a/b/c?q=1"},
      {"#part", "http://h:81/a/b/c?q=1"},
      {"/to?url=http://x/", "http://h:81/to?url=http://x/"},
  };
  for (const auto& [location, expected] : kResolved) {
    const auto url = ResolveLocation(base, location);
    ASSERT_TRUE(url.ok()) << location;
    EXPECT_EQ(AbsoluteUrl(*url), expected) << location;
  }
  EXPECT_FALSE(ResolveLocation(base, "ftp://h/").ok());
}

class Proxy : public testing::Test {
 protected:
  // The proxy's host for a URL; empty without one.
  std::string For(std::string_view url) {
    const auto settings =
        HttpProxySettings::FromEnvironment([&](const char* name) { return environment_[name]; });
    const auto proxy = settings.For(*ParseHttpUrl(url));
    if (!proxy.ok()) return Cat("error: ", Message(proxy.status()));
    return proxy->has_value() ? (*proxy)->address.host : "";
  }
  std::map<std::string, std::string> environment_;
};

TEST_F(Proxy, IsChosenByTheScheme) {
  EXPECT_EQ(For("http://h/"), "");
  environment_ = {{"HTTP_PROXY", "http://one:3128"}, {"https_proxy", "two:3128"}};
  EXPECT_EQ(For("http://h/"), "one");
  EXPECT_EQ(For("https://h/"), "two");
  environment_["HTTPS_PROXY"] = "http://three:1";
  EXPECT_EQ(For("https://h/"), "three");
}

TEST_F(Proxy, IsNotUsedForExemptHosts) {
  environment_ = {{"HTTP_PROXY", "p:1"},
                  {"NO_PROXY", "a.test, .b.test,*.c.test,10.0.0.0/8,1.2.3.4,d.test:81,fd00::/8"}};
  for (const char* url : {"http://a.test",
                          "http://x.a.test",
                          "http://x.b.test",
                          "http://x.c.test",
                          "http://10.9.8.7",
                          "http://1.2.3.4",
                          "http://d.test:81",
                          "http://[fd00::1]",
                          "http://localhost",
                          "http://127.0.0.2",
                          "http://[::1]"}) {
    EXPECT_EQ(For(url), "") << url;
  }
  for (const char* url : {"http://b.test",
                          "http://xa.test",
                          "http://11.0.0.1",
                          "http://1.2.3.5",
                          "http://d.test",
                          "http://[fe00::1]"}) {
    EXPECT_EQ(For(url), "p") << url;
  }
  environment_["NO_PROXY"] = "*";
  EXPECT_EQ(For("http://b.test"), "");
}

TEST_F(Proxy, MustBeAnHttpProxy) {
  environment_ = {{"HTTP_PROXY", "socks5://p:1"}};
  EXPECT_THAT(For("http://h/"),
              testing::StartsWith("error: HTTP_PROXY is not the address of an HTTP proxy"));
}

TEST(Gzip, RestoresWhatItCompressed) {
  for (const size_t size : {0, 1, 1000, 1000000}) {
    const std::string plain(size, 'p');
    EXPECT_EQ(Gunzip(Gzip(plain), size).value(), plain);
  }
  const std::string two_members = Gzip("ab") + Gzip("cd");
  EXPECT_EQ(Gunzip(two_members, 4).value(), "abcd");
}

TEST(Gzip, RefusesTooMuchAndDamage) {
  const std::string compressed = Gzip(std::string(1 << 20, 'p'));
  EXPECT_EQ(Gunzip(compressed, (1 << 20) - 1).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Gunzip(compressed.substr(0, 500), 1 << 20).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Gunzip("not gzip", 100).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Gunzip("", 100).status().code(), StatusCode::kDataLoss);
}

TEST(HttpRequestReader, ReadsTheSameHoweverTheBytesAreCut) {
  const std::string bytes =
      "\r\nPOST /x?y HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /next";
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    HttpRequestReader reader({1000, 1000});
    std::string kept;
    for (const std::string& piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
      kept += piece;
      while (const size_t used = reader.Feed(kept)) kept.erase(0, used);
    }
    ASSERT_EQ(reader.phase(), HttpRequestReader::Phase::kDone) << cut;
    const HttpRequest request = reader.Take();
    EXPECT_EQ(request.target, "/x?y");
    EXPECT_EQ(request.body, "abc");
    EXPECT_EQ(kept, "GET /next");
  }
}

}  // namespace
}  // namespace troth::net
