#include <doctest/doctest.h>

#include <stdexcept>

#include "gateway/redis/client.h"

using gateway::redis::parse_url;
using gateway::redis::Url;

TEST_SUITE_BEGIN("redis");

TEST_CASE("a Redis URL names server, credentials and database") {
  struct Row {
    const char *url, *host;
    int port;
    const char *user, *password;
    int database;
  };
  const Row rows[] = {
      {"redis://localhost", "localhost", 6379, "", "", 0},
      {"redis://localhost/", "localhost", 6379, "", "", 0},
      {"redis://10.0.0.1:7000/3", "10.0.0.1", 7000, "", "", 3},
      {"redis://[::1]:7000", "::1", 7000, "", "", 0},
      {"redis://[fe80::1]", "fe80::1", 6379, "", "", 0},
      {"redis://:s3cret@redis_1.internal:6379/0", "redis_1.internal", 6379, "", "s3cret", 0},
      {"redis://app:p%40s%2Fs%25@h:1/15", "h", 1, "app", "p@s/s%", 15},
      {"redis://app:p@ss@h", "h", 6379, "app", "p@ss", 0},
      {"redis://app:a:b@h", "h", 6379, "app", "a:b", 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.url);
    const Url url = parse_url(row.url);
    REQUIRE(url.endpoints.size() == 1);
    CHECK(url.endpoints[0].host == row.host);
    CHECK(url.endpoints[0].port == row.port);
    CHECK(url.user == row.user);
    CHECK(url.password == row.password);
    CHECK(url.database == row.database);
    CHECK(url.master.empty());
  }
}

TEST_CASE("a Sentinel URL names sentinels, master and database") {
  const Url url = parse_url("redis+sentinel://app:pw@s1:26380,[::1],s3/my%20master/2");
  REQUIRE(url.endpoints.size() == 3);
  CHECK(url.endpoints[0].host == "s1");
  CHECK(url.endpoints[0].port == 26380);
  CHECK(url.endpoints[1].host == "::1");
  CHECK(url.endpoints[1].port == 26379);
  CHECK(url.endpoints[2].host == "s3");
  CHECK(url.master == "my master");
  CHECK(url.database == 2);
  CHECK(url.user == "app");
  CHECK(parse_url("redis+sentinel://s1/m").database == 0);
}

TEST_CASE("a bad Redis URL says what is wrong and never repeats what may be a password") {
  struct Row {
    const char *url, *says;
  };
  const Row rows[] = {
      {"", "starts with neither"},
      {"localhost:6379", "starts with neither"},
      {"http://hunter2", "starts with neither"},
      {"rediss://:hunter2@h", "TLS"},
      {"redis://", "names no host"},
      {"redis://:hunter2@", "names no host"},
      {"redis://:hunter2@:6379", "names no host"},
      {"redis://hunter2@h", "user without a password"},
      {"redis://hunter2:@h", "password in the Redis URL is empty"},
      {"redis://app:hun/ter2@h", "port"},
      {"redis://app:hun?ter2@h", "'?' or '#'"},
      {"redis://app:hun%ter2@h", "hexadecimal"},
      {"redis://app:hunter2%4", "port"},
      {"redis://app:hunter2%4@h", "hexadecimal"},
      {"redis://h:0", "port"},
      {"redis://h:65536", "port"},
      {"redis://h:", "port"},
      {"redis://h:-1", "port"},
      {"redis://h:63 79", "port"},
      {"redis://h/hunter2", "database"},
      {"redis://h/-1", "database"},
      {"redis://h/1/2", "database"},
      {"redis://h/99999999999999999999", "database"},
      {"redis://h1,h2", "one host"},
      {"redis://hun ter2", "character"},
      {"redis://[::1", "closing"},
      {"redis://[hunter2]", "IPv6"},
      {"redis://[::1]x", "only ':port'"},
      {"redis+sentinel://s1", "names no master"},
      {"redis+sentinel://s1/", "names no master"},
      {"redis+sentinel://s1,/m", "names no host"},
      {"redis+sentinel://s1/m/hunter2", "database"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.url);
    try {
      parse_url(row.url);
      FAIL("it was taken");
    } catch (const std::invalid_argument& error) {
      const std::string message = error.what();
      CHECK(message.find(row.says) != message.npos);
      CHECK(message.find("hun") == message.npos);
      CHECK(message.find("ter2") == message.npos);
    }
  }
}

TEST_SUITE_END();
