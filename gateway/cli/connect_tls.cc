#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "gateway/cli/connect_parts.h"
#include "gateway/upstream/base_url.h"

namespace gateway::cli {

namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;
using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Session = std::unique_ptr<SSL, decltype(&SSL_free)>;

struct Socket {
  int fd = -1;
  ~Socket() {
    if (fd >= 0) ::close(fd);
  }
};

struct Place {
  std::string host, port;
  bool tls = false;
};

// "https://host:port/"
Place place_of(const std::string& origin) {
  Place place;
  place.tls = origin.starts_with("https://");
  auto rest = origin.substr(origin.find("://") + 3);
  rest = rest.substr(0, rest.find('/'));
  const auto bracket = rest.find(']');
  const auto colon = rest.find(':', bracket == std::string::npos ? 0 : bracket);
  place.host = bracket == std::string::npos ? rest.substr(0, colon) : rest.substr(1, bracket - 1);
  place.port = colon == std::string::npos ? (place.tls ? "443" : "80") : rest.substr(colon + 1);
  return place;
}

bool through_proxy() {
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return true;
  return false;
}

std::string numeric(const addrinfo& address) {
  char host[NI_MAXHOST] = "";
  ::getnameinfo(address.ai_addr, address.ai_addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  return host;
}

// Connected, with the time limit of the setting; the descriptor is -1 where no address answers.
void connect_to(const addrinfo* addresses, std::chrono::milliseconds limit, Socket& socket) {
  const timeval time{limit.count() / 1000, limit.count() % 1000 * 1000};
  for (const addrinfo* address = addresses; address != nullptr; address = address->ai_next) {
    Socket tried{::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ::setsockopt(tried.fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
    ::setsockopt(tried.fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    if (tried.fd < 0 || ::connect(tried.fd, address->ai_addr, address->ai_addrlen) != 0) continue;
    std::swap(socket.fd, tried.fd);
    return;
  }
}

std::string ends_in(const X509* certificate) {
  int days = 0, seconds = 0;
  ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate));
  return "its certificate ends in " + std::to_string(days) + " days";
}

std::string why_not(const SSL* session) {
  if (const long result = SSL_get_verify_result(session); result != X509_V_OK)
    return X509_verify_cert_error_string(result);
  const auto error = ERR_get_error();
  return error == 0 ? "the connection was closed or too slow" : ERR_reason_error_string(error);
}

bool shake_hands(const config::Settings& settings, const Place& place, int fd, Findings& findings) {
  const Context context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  const bool trusted =
      settings.upstream.ca_file.empty()
          ? SSL_CTX_set_default_verify_paths(context.get()) == 1
          : SSL_CTX_load_verify_locations(context.get(), settings.upstream.ca_file.c_str(), nullptr) == 1;
  if (!trusted) {
    findings.failed(kFailed, "TLS", "the trusted certificates cannot be read (upstream.ca_file)");
    return false;
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const Session session(SSL_new(context.get()), &SSL_free);
  SSL_set_tlsext_host_name(session.get(), place.host.c_str());
  auto* names = SSL_get0_param(session.get());
  if (X509_VERIFY_PARAM_set1_ip_asc(names, place.host.c_str()) != 1) SSL_set1_host(session.get(), place.host.c_str());
  SSL_set_fd(session.get(), fd);
  if (SSL_connect(session.get()) != 1) {
    findings.failed(kFailed, "TLS", why_not(session.get()));
    return false;
  }
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(session.get()), &X509_free);
  findings.well("TLS", std::string(SSL_get_version(session.get())) + ", " + SSL_get_cipher_name(session.get()) +
                           ", trusted for " + place.host + ", " + ends_in(certificate.get()));
  return true;
}

}  // namespace

bool try_name_and_tls(const config::Settings& settings, Findings& findings) {
  const auto place = place_of(upstream::parse_base_url(settings.upstream.url).origin);
  if (through_proxy()) {
    findings.note("name and TLS", "left to the proxy that the environment names");
    return true;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int problem = ::getaddrinfo(place.host.c_str(), place.port.c_str(), &hints, &found);
  const Addresses addresses(found, &freeaddrinfo);
  if (problem != 0) {
    findings.failed(kFailed, "DNS", place.host + ": " + ::gai_strerror(problem));
    return false;
  }
  if (numeric(*found) != place.host) {
    std::string list;
    for (const addrinfo* address = found; address != nullptr; address = address->ai_next)
      list.append(list.empty() ? "" : ", ").append(numeric(*address));
    findings.well("DNS", place.host + " is " + list);
  }
  if (!place.tls) return true;
  Socket socket;
  connect_to(found, settings.upstream.connect_timeout, socket);
  if (socket.fd < 0) return true;  // the first request says why
  return shake_hands(settings, place, socket.fd, findings);
}

}  // namespace gateway::cli
