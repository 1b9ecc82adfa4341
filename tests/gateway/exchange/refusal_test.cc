#include "gateway/exchange/refusal.h"

#include <doctest/doctest.h>

#include <string>

using gateway::exchange::refusal_of;
using gateway::exchange::refusal_type;
using gateway::exchange::to_response;
using gateway::upstream::Failure;

TEST_SUITE_BEGIN("refusal");

TEST_CASE("why there is no answer from upstream is told by the names of RFC 9209") {
  struct Row {
    Failure failure;
    int status;
    std::string_view error, type;
  };
  const Row rows[] = {
      {Failure::Resolve, 502, "dns_error", "upstream-unresolved"},
      {Failure::Connect, 502, "connection_refused", "upstream-refused"},
      {Failure::ConnectTimeout, 504, "connection_timeout", "upstream-connect-timeout"},
      {Failure::Tls, 502, "tls_protocol_error", "upstream-tls"},
      {Failure::Certificate, 502, "tls_certificate_error", "upstream-certificate"},
      {Failure::Timeout, 504, "http_response_timeout", "upstream-timeout"},
      {Failure::Reset, 502, "http_response_incomplete", "upstream-reset"},
      {Failure::Protocol, 502, "http_protocol_error", "upstream-protocol"},
      {Failure::TooLarge, 502, "http_response_body_size", "upstream-too-large"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.type);
    const auto response = to_response(refusal_of(row.failure));
    CHECK(response.status == row.status);
    CHECK(response.fields.find("Proxy-Status") == "contacts-gateway; error=" + std::string(row.error));
    CHECK(refusal_type(response) == row.type);
  }
}

TEST_SUITE_END();
