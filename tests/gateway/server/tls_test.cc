// TLS at the edge: what is shown, demanded and refused, and that no handshake holds anybody up.
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <fstream>
#include <thread>

#include "tests/gateway/server/raw_client.h"
#include "tests/gateway/server/test_server.h"
#include "tests/support/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/tls_client.h"

namespace gateway::server::test {
TEST_SUITE_BEGIN("edge tls");

using namespace std::chrono_literals;
using test_support::Authority;
using test_support::PemPair;
using test_support::TlsClient;
using test_support::TlsOptions;

namespace {

const std::string kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kLast = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

struct TlsServer {
  explicit TlsServer(OnRequest on_request = echo, Limits limits = {}, bool mutual = false)
      : server(std::move(on_request), limits, 1, {"127.0.0.1:0"},
               context(authority.issue("server"), mutual ? clients.path() : "")) {}

  static std::shared_ptr<const TlsContext> context(const PemPair& pair, const std::string& client_ca = "") {
    return std::make_shared<TlsContext>(TlsContext::Files{pair.certificate, pair.key, client_ca});
  }
  std::uint64_t count(HandshakeResult result) const { return server.server.handshakes(result); }
  bool becomes(HandshakeResult result, std::uint64_t wanted) {
    return test_support::eventually(10s, [&] { return count(result) == wanted; });
  }

  Authority authority{"authority"};
  Authority clients{"clients"};
  TestServer server;
};

std::string ask(TlsClient& client) {
  client.write(kLast);
  return client.read_all();
}

}  // namespace

TEST_CASE("requests are answered over TLS 1.2 and 1.3, one after another, and the end is said with close_notify") {
  TlsServer tls;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(tls.server.address(), {.ca = tls.authority.path(), .version = version});
    REQUIRE_MESSAGE(client.handshake(), client.failure());
    CHECK(client.version() == (version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2"));
    for (int i = 0; i < 3; ++i) {
      client.write(kGet);
      CHECK(client.read(15) == "HTTP/1.1 200 OK");
      const auto head = client.read(std::string("\r\nContent-Type: text/plain\r\n").size());
      CHECK(head == "\r\nContent-Type: text/plain\r\n");
      std::string rest;
      while (rest.find("[]") == std::string::npos) rest += client.read(1);
    }
    const auto answer = ask(client);
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(client.ended == TlsClient::End::CloseNotify);
  }
  CHECK(tls.count(HandshakeResult::Done) == 2);
}

TEST_CASE("old versions and weak ciphers are refused") {
  TlsServer tls;
  const TlsOptions refused[] = {
      {.ca = "", .version = TLS1_VERSION},
      {.ca = "", .version = TLS1_1_VERSION},
      {.ca = "", .version = TLS1_2_VERSION, .ciphers = "AES128-SHA"},
      {.ca = "", .version = TLS1_2_VERSION, .ciphers = "AES256-GCM-SHA384"},  // no forward secrecy
      {.ca = "", .version = TLS1_2_VERSION, .ciphers = "ECDHE+SHA256"},       // CBC
  };
  for (const auto& options : refused) {
    TlsClient client(tls.server.address(), options);
    CHECK_FALSE(client.handshake());
  }
  CHECK(tls.becomes(HandshakeResult::Failed, 5));
}

TEST_CASE("http/1.1 is chosen by ALPN, and a client that speaks only others is told") {
  using namespace std::literals;
  TlsServer tls;
  TlsClient both(tls.server.address(), {.ca = tls.authority.path(), .protocols = "\x02h2\x08http/1.1"s});
  REQUIRE(both.handshake());
  CHECK(both.protocol() == "http/1.1");
  TlsClient only_h2(tls.server.address(), {.ca = tls.authority.path(), .protocols = "\x02h2"s});
  CHECK_FALSE(only_h2.handshake());
  CHECK(only_h2.failure().find("no application protocol") != std::string::npos);
}

TEST_CASE("sessions are resumed by tickets") {
  TlsServer tls;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsOptions options{.ca = tls.authority.path(), .version = version};
    TlsClient first(tls.server.address(), options);
    REQUIRE(first.handshake());
    CHECK(ask(first).starts_with("HTTP/1.1 200"));
    TlsClient second(tls.server.address(), options);
    second.resume(first);
    REQUIRE(second.handshake());
    CHECK(second.resumed());
    CHECK(ask(second).starts_with("HTTP/1.1 200"));
  }
  CHECK(tls.count(HandshakeResult::Resumed) == 2);
}

TEST_CASE("with client_ca only clients with its certificate get in, resumed or not") {
  TlsServer tls(echo, {}, true);
  const auto ca = tls.authority.path();
  Authority strangers("strangers");
  const PemPair good = tls.clients.issue("good"), expired = tls.clients.issue("expired", -1),
                stranger = strangers.issue("stranger");
  TlsClient right(tls.server.address(), {.ca = ca, .own = good});
  REQUIRE(right.handshake());
  CHECK(ask(right).starts_with("HTTP/1.1 200"));
  TlsClient again(tls.server.address(), {.ca = ca, .own = good});
  again.resume(right);
  REQUIRE(again.handshake());
  CHECK(ask(again).starts_with("HTTP/1.1 200"));
  const struct {
    std::optional<PemPair> own;
    std::string alert;
  } wrong[] = {{std::nullopt, "certificate required"}, {expired, "certificate expired"}, {stranger, "unknown ca"}};
  for (const auto& [own, alert] : wrong) {
    TlsClient client(tls.server.address(), {.ca = ca, .own = own});
    client.handshake();  // with 1.3 the client's side is done before the server has looked
    CHECK(ask(client).empty());
    CHECK_MESSAGE(client.failure().find(alert) != std::string::npos, client.failure());
  }
  CHECK(tls.becomes(HandshakeResult::Failed, 3));
}

TEST_CASE("a client that speaks plain HTTP is told, and other bytes end in a close") {
  TlsServer tls;
  RawClient plain(tls.server.address());
  plain.send(kGet);
  const auto answer = plain.answer();
  REQUIRE(answer);
  CHECK(answer->status == 400);
  CHECK(answer->body.find("https://") != std::string::npos);
  CHECK(plain.end() == RawClient::End::Eof);
  CHECK(tls.server.last_refusal() == "plain-http");
  RawClient garbage(tls.server.address());
  garbage.send(std::string("\x00\x01\x02", 3));
  CHECK(garbage.end() != RawClient::End::None);
  RawClient broken(tls.server.address());
  broken.send(std::string("\x16\x03\x01\x00\x05hello", 10));
  std::string alert;
  CHECK(broken.end(alert) != RawClient::End::None);
  CHECK(alert.starts_with("\x15"));
  CHECK(tls.count(HandshakeResult::PlainHttp) == 1);
  CHECK(tls.becomes(HandshakeResult::Failed, 2));
}

TEST_CASE("half-open handshakes are closed when their time is over, silent ones and slow ones") {
  TlsServer tls(echo, {.handshake_timeout = 100ms});
  RawClient silent(tls.server.address());
  RawClient half(tls.server.address());
  half.send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  CHECK(silent.end() != RawClient::End::None);
  CHECK(half.end() != RawClient::End::None);
  CHECK(tls.count(HandshakeResult::TimedOut) == 2);
  CHECK(test_support::eventually(10s, [&] { return tls.server.server.connections() == 0; }));
}

TEST_CASE("one half-open handshake too many displaces the oldest, and a good client gets in") {
  TlsServer tls(echo, {.handshakes = 3});
  std::vector<std::unique_ptr<RawClient>> silent;
  for (std::size_t i = 1; i <= 3; ++i) {
    silent.push_back(std::make_unique<RawClient>(tls.server.address()));
    REQUIRE(test_support::eventually(10s, [&] { return tls.server.server.connections() == i; }));
  }
  TlsClient good(tls.server.address(), {.ca = tls.authority.path()});
  REQUIRE(good.handshake());
  CHECK(ask(good).starts_with("HTTP/1.1 200"));
  CHECK(tls.becomes(HandshakeResult::Displaced, 1));
  CHECK(silent[0]->end() != RawClient::End::None);
  CHECK(silent[2]->is_quiet(20ms));
}

TEST_CASE("large answers reach a client that reads slowly, whole, and one that never reads is closed") {
  const auto large = std::make_shared<const std::string>([] {
    std::string text(6'000'000, 'x');
    for (std::size_t i = 0; i < text.size(); i += 1000) text[i] = static_cast<char>('a' + i / 1000 % 26);
    return text;
  }());
  Event gone;
  TlsServer tls(
      [&](const RequestView& request, Reply reply) {
        if (request.path == "/gone") reply.on_hang_up([&] { gone.set(); });
        if (request.path != "/stream") return reply.send({200, {}, large});
        reply.start({200, {}, nullptr});
        for (std::size_t at = 0; at < large->size(); at += 100'000) reply.write(large->substr(at, 100'000));
        reply.end();
      },
      {.write_timeout = 300ms});
  for (const std::string path : {"/plain", "/stream"}) {
    TlsClient client(tls.server.address(), {.ca = tls.authority.path(), .receive_buffer = 4'096});
    REQUIRE(client.handshake());
    client.write("GET " + path + " HTTP/1.0\r\n\r\n");
    const auto answer = client.read_all();
    const auto body = answer.find("\r\n\r\n");
    REQUIRE(body != std::string::npos);
    CHECK(answer.substr(body + 4) == *large);
    CHECK(client.ended == TlsClient::End::CloseNotify);
  }
  TlsClient never(tls.server.address(), {.ca = tls.authority.path(), .receive_buffer = 4'096});
  REQUIRE(never.handshake());
  never.write("GET /gone HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(gone.wait());
}

TEST_CASE("large request bodies and pipelined requests arrive whole over TLS") {
  TlsServer tls([](const RequestView& request, Reply reply) { reply.send(text(std::to_string(request.body.size()))); });
  TlsClient client(tls.server.address(), {.ca = tls.authority.path()});
  REQUIRE(client.handshake());
  const std::string body(1'000'000, 'b');
  client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + body + kGet + kLast);
  const auto answer = client.read_all();
  CHECK(answer.find("\r\n\r\n1000000HTTP/1.1 200 OK") != std::string::npos);
  CHECK(answer.ends_with("Connection: close\r\n\r\n0"));
}

TEST_CASE("a new certificate is shown to the next client, and the connections of the old one live on") {
  TlsServer tls;
  const TlsOptions options{.ca = tls.authority.path()};
  TlsClient before(tls.server.address(), options);
  REQUIRE(before.handshake());
  tls.server.server.set_tls(TlsServer::context(tls.authority.issue("renewed")));
  TlsClient after(tls.server.address(), options);
  REQUIRE(after.handshake());
  CHECK(before.server_name() == "server");
  CHECK(after.server_name() == "renewed");
  CHECK(ask(before).starts_with("HTTP/1.1 200"));
  CHECK(ask(after).starts_with("HTTP/1.1 200"));
}

TEST_CASE("files that are no certificate, no key or no pair are refused by name") {
  Authority authority("authority");
  const PemPair one = authority.issue("one"), other = authority.issue("other");
  const auto message = [](const TlsContext::Files& files) -> std::string {
    try {
      TlsContext context(files);
      return "";
    } catch (const std::runtime_error& e) {
      return e.what();
    }
  };
  CHECK(message({one.certificate, one.key, authority.path()}) == "");
  CHECK(message({one.certificate, other.key, ""}).starts_with(other.key + ": is not the key of " + one.certificate));
  CHECK(message({one.key, one.key, ""}).starts_with(one.key + ": expected a PEM certificate with its chain"));
  CHECK(message({one.certificate, one.certificate, ""})
            .starts_with(one.certificate + ": expected a PEM private key that is not encrypted"));
  CHECK(message({"/nowhere", one.key, ""}).starts_with("/nowhere: expected a PEM certificate"));
  CHECK(message({one.certificate, one.key, one.key})
            .starts_with(one.key + ": expected a PEM bundle of certification authorities"));
  const PemPair past = authority.issue("past", -1);
  CHECK_FALSE(TlsContext({past.certificate, past.key, ""}).valid_at(std::time(nullptr)));
  CHECK(TlsContext({one.certificate, one.key, ""}).valid_at(std::time(nullptr)));
}

TEST_CASE("draining waits for handshakes under way and serves their first request") {
  TlsServer tls;
  std::optional<TlsClient> late(std::in_place, tls.server.address(), TlsOptions{.ca = tls.authority.path()});
  REQUIRE(test_support::eventually(10s, [&] { return tls.server.server.connections() == 1; }));
  CHECK_FALSE(tls.server.server.drain(1ms));
  REQUIRE(late->handshake());
  late->write(kGet);
  const auto answer = late->read_all();
  late.reset();
  CHECK(answer.find("Connection: close") != std::string::npos);
  CHECK(tls.server.server.drain(10s));
}

TEST_CASE("draining keeps idle connections for one more request, then for so long as it was told") {
  TestServer server(echo);
  RawClient asks(server.address());
  RawClient silent(server.address());
  for (auto* client : {&asks, &silent}) {
    client->send(kGet);
    REQUIRE(client->answer());
  }
  std::jthread draining([&] { CHECK(server.server.drain(10s, 300ms)); });
  REQUIRE(test_support::eventually(10s, [&] {
    try {
      test_support::HttpClient(server.address()).connect();
      return false;
    } catch (const test_support::HttpError&) {
      return true;
    }
  }));
  asks.send(kGet);
  const auto answer = asks.answer();
  REQUIRE(answer);
  CHECK(answer->field("Connection") == "close");
  CHECK(asks.end() == RawClient::End::Eof);
  CHECK(silent.end() == RawClient::End::Eof);
}

TEST_SUITE_END();
}  // namespace gateway::server::test
