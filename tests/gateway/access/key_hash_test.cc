#include "gateway/access/key_hash.h"

#include <doctest/doctest.h>

#include <string>

#include "gateway/config/value.h"

namespace keys = gateway::access;

TEST_SUITE("access") {
  TEST_CASE("a key matches its own hash and no other") {
    const std::string key = keys::new_key(), hash = keys::hash_key(key);
    CHECK(keys::key_matches(key, hash));
    CHECK_FALSE(keys::key_matches(key + "x", hash));
    CHECK_FALSE(keys::key_matches(key.substr(1), hash));
    CHECK_FALSE(keys::key_matches("", hash));
    CHECK_FALSE(keys::key_matches(keys::new_key(), hash));
    CHECK(gateway::config::valid_key_hash(hash));
  }

  TEST_CASE("the scheme is HMAC-SHA-256 under the salt, so that hashes made elsewhere and earlier stay good") {
    // printf %s KEY | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102030405060708090a0b0c0d0e0f
    const std::string salt = "000102030405060708090a0b0c0d0e0f";
    const std::string hash = "84baa5fec0f888bff4d63c888eeb5327f6be508f9bf004e511c05a167313dfc4";
    CHECK(keys::key_matches("cgk_fixed-key-for-this-test", "sha256:" + salt + ":" + hash));
  }

  TEST_CASE("each hash has a salt of its own, each key is new and long enough") {
    const std::string key = keys::new_key();
    CHECK(keys::hash_key(key) != keys::hash_key(key));
    CHECK(keys::new_key() != key);
    CHECK(key.size() >= keys::kShortestKey);
  }

  TEST_CASE("a malformed hash matches nothing") {
    const std::string key = keys::new_key(), hash = keys::hash_key(key);
    std::string capitals = hash;
    for (char& c : capitals) c = c == 'a' ? 'A' : c;
    for (const std::string& wrong :
         {std::string(), std::string("sha256:"), hash.substr(1), hash.substr(0, hash.size() - 1), hash + "0",
          "sha512" + hash.substr(6), hash.substr(0, 20) + "g" + hash.substr(21), capitals == hash ? "x" : capitals,
          std::string("sha256::")})
      CHECK_FALSE_MESSAGE(keys::key_matches(key, wrong), wrong);
  }
}
