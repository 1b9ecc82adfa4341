// TLS and HTTP/2 against nghttpd and openssl s_server, with a certification authority of the test's own.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>

#include "tests/gateway/upstream/asking.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

using gateway::upstream::Options;
using gateway::upstream::Request;
using test_support::Process;
using test_support::Stream;
using tests::Asking;
using tests::verdict;
using namespace std::chrono_literals;

namespace {

// A key and a certificate for `localhost`, signed by itself: it is its own authority.
struct Certificate {
  Certificate() {
    Process openssl(
        {.arguments = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                       "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                       key(), "-out", certificate()}});
    REQUIRE(openssl.wait_for_exit(10s) == 0);
  }
  std::string key() const { return folder.path() / "key.pem"; }
  std::string certificate() const { return folder.path() / "certificate.pem"; }

  test_support::TempDir folder;
};

bool has_nghttpd() {
  for (const char* folder : {"/usr/bin/", "/usr/sbin/", "/usr/local/bin/"})
    if (std::filesystem::exists(std::string(folder) + "nghttpd")) return true;
  MESSAGE("skipped: nghttpd is not there (Debian package nghttp2-server)");
  return false;
}

struct Http2Server {
  explicit Http2Server(std::vector<std::string> extra = {}) : port(std::to_string(tests::closed_port())) {
    certificate.folder.write("hello", "hello");
    std::vector<std::string> arguments{"nghttpd",       "-v", "--address=127.0.0.1",
                                       "--echo-upload", "-d", certificate.folder.path()};
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    arguments.insert(arguments.end(), {port, certificate.key(), certificate.certificate()});
    process.emplace(test_support::ProcessOptions{.arguments = arguments});
    REQUIRE(process->wait_for_line(Stream::Out, "listen", 10s));
  }
  Options options() const {
    return {.base_url = "https://localhost:" + port, .timeout = 10s, .ca_file = certificate.certificate()};
  }
  // "[id=7]": nghttpd numbers its connections from 1.
  bool had_connection(int number) const {
    return process->output(Stream::Out).find("[id=" + std::to_string(number) + "]") != std::string::npos;
  }

  Certificate certificate;
  std::string port;
  std::optional<Process> process;
};

}  // namespace

TEST_SUITE("upstream TLS") {
  TEST_CASE("HTTP/2 is spoken where the server speaks it, on one connection for requests one after another") {
    if (!has_nghttpd()) return;
    Http2Server server;
    Asking asking(server.options());
    for (int i = 0; i < 3; ++i) {
      const auto outcome = asking.send({"GET", "/hello", {{"X-A", "1"}}, nullptr, {}});
      REQUIRE(verdict(outcome) == "200");
      CHECK(tests::answer(outcome)->body == "hello");
      CHECK(tests::answer(outcome)->http_version == 20);
      CHECK(tests::answer(outcome)->fields.find("content-length") == "5");
      CHECK(outcome.reused_connection == (i > 0));
    }
    const auto body = std::make_shared<const std::string>(std::string(300'000, 'b'));
    CHECK(tests::body_of(asking.send({"POST", "/echo", {}, body, {}})) == *body);
    CHECK(tests::body_of(asking.send({"POST", "/hello", {}, nullptr, {}})) != "reset");
    CHECK(verdict(asking.send({"HEAD", "/hello", {}, nullptr, {}})) == "200");
    CHECK_FALSE(server.had_connection(2));
  }

  TEST_CASE("100 requests at once share a warm HTTP/2 connection") {
    if (!has_nghttpd()) return;
    Http2Server server;
    Asking asking(server.options());
    REQUIRE(verdict(asking.get("/hello")) == "200");
    std::vector<Request> requests(90, Request{"GET", "/hello", {}, nullptr, {}});
    int right = 0;
    for (const auto& outcome : asking.send_all(std::move(requests))) right += tests::body_of(outcome) == "hello";
    CHECK(right == 90);
    CHECK_FALSE(server.had_connection(2));
  }

  TEST_CASE("a killed HTTP/2 server fails the next request as reset or connect") {
    if (!has_nghttpd()) return;
    Http2Server server;
    Asking asking(server.options());
    REQUIRE(verdict(asking.get("/hello")) == "200");
    server.process->signal(SIGKILL);
    REQUIRE(server.process->wait_for_exit(10s));
    const auto outcome = verdict(asking.get("/hello"));
    CHECK((outcome == "reset" || outcome == "connect"));
  }

  TEST_CASE("a certificate for another host and one of an unknown authority are refused before anything is sent") {
    if (!has_nghttpd()) return;
    Http2Server server;
    Options options = server.options();
    options.base_url = "https://127.0.0.1:" + server.port;
    const auto other_host = Asking(options).get("/hello");
    REQUIRE(verdict(other_host) == "certificate");
    CHECK(std::get<gateway::upstream::Failed>(other_host.result).detail ==
          "SSL peer certificate or SSH remote key was not OK: the certificate is for another host name");
    options = server.options();
    options.ca_file.clear();
    const auto unknown = Asking(options).get("/hello");
    REQUIRE(verdict(unknown) == "certificate");
    CHECK(std::get<gateway::upstream::Failed>(unknown.result).detail.find("self-signed") != std::string::npos);
    CHECK(verdict(Asking(server.options()).get("/hello")) == "200");
  }

  TEST_CASE("HTTP/1 over TLS is spoken where the server knows no HTTP/2") {
    Certificate certificate;
    const std::string port = std::to_string(tests::closed_port());
    Process server({.arguments = {"openssl", "s_server", "-www", "-accept", "127.0.0.1:" + port, "-key",
                                  certificate.key(), "-cert", certificate.certificate()}});
    REQUIRE(server.wait_for_line(Stream::Out, "ACCEPT", 10s));
    Asking asking({.base_url = "https://localhost:" + port, .timeout = 10s, .ca_file = certificate.certificate()});
    const auto outcome = asking.get();
    REQUIRE(verdict(outcome) == "200");
    CHECK(tests::answer(outcome)->http_version == 10);
    CHECK(tests::answer(outcome)->body.find("s_server") != std::string::npos);
  }
}
