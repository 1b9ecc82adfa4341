#include "gateway/token_store/sealed.h"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace gateway::token_store;
using gateway::config::Secret;
using namespace std::chrono_literals;

namespace {

const std::string kKey = "a-key-of-more-than-thirty-two-characters";

Grant grant() {
  Grant grant;
  grant.id = "app/Location/loc";
  grant.client_id = "app";
  grant.subject = "loc";
  grant.access_token.value = "access-token-text";
  grant.refresh_token.value = "refresh-token-text";
  grant.times = {1'000s, 2'000s};
  grant.scope = "contacts.readonly";
  grant.version = 7;
  grant.seed = seed_mark("seed");
  return grant;
}

std::string why(const Sealed& sealed, const std::string& id, const std::string& text) {
  try {
    sealed.open(id, text);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "opened";
}

}  // namespace

TEST_SUITE_BEGIN("token_store");

TEST_CASE("a grant comes back as it was, sealed or plain") {
  for (const auto& key : {std::string(), kKey}) {
    const Sealed sealed(Secret{key, {}});
    auto one = grant();
    CHECK(sealed.open(one.id, sealed.close(one)) == one);
    one.ended = "invalid_grant";
    one.kind = policies::GrantKind::Company;
    CHECK(sealed.open(one.id, sealed.close(one)) == one);
    CHECK(version_of(sealed.close(one)) == 7);
  }
}

TEST_CASE("what is sealed shows no token, and never twice the same text") {
  const Sealed sealed(Secret{kKey, {}});
  const auto text = sealed.close(grant());
  for (const char* secret : {"access-token-text", "refresh-token-text", "contacts.readonly"})
    CHECK(text.find(secret) == std::string::npos);
  CHECK(text != sealed.close(grant()));
}

TEST_CASE(
    "another key, a moved, turned back, marked or changed text is refused, and so is a plain one where there is a "
    "key") {
  const Sealed sealed(Secret{kKey, {}}), other(Secret{"another-key-of-more-than-32-characters", {}}), plain(Secret{});
  const auto text = sealed.close(grant());
  const std::string id = grant().id;
  CHECK(why(other, id, text).find("store_key is not the key that sealed it") != std::string::npos);
  CHECK(why(sealed, "app/Location/other", text).find("does not open") != std::string::npos);
  CHECK(why(sealed, id, "8" + text.substr(1)).find("does not open") != std::string::npos);
  auto marked = text;
  CHECK(why(sealed, id, marked.replace(2, 5, "ended")).find("does not open") != std::string::npos);
  for (std::size_t at = text.find(':') + 1; at < text.size(); at += 7) {
    auto changed = text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    CHECK(why(sealed, id, changed) != "opened");
  }
  CHECK(why(plain, id, text).find("is encrypted: set credentials.oauth.store_key") != std::string::npos);
  CHECK(why(sealed, id, plain.close(grant())).find("is not encrypted") != std::string::npos);
  auto turned = plain.close(grant());
  CHECK(why(plain, id, turned.replace(0, 1, "9")).find("of another version") != std::string::npos);
  for (const char* broken :
       {"", "7", "7 alive", "7 alive ", "x alive plain:{}", "7 alive plain:{", "7 alive plain:[]",
        "7 alive plain:{\"client_id\":1}", "7 alive aes256gcm:", "7 alive aes256gcm:AAAA", "7 alive other:"})
    for (const auto* store : {&plain, &sealed}) CHECK(why(*store, id, broken) != "opened");
}

TEST_CASE("a later pair supersedes an earlier one, and an end the pair that it ends") {
  auto earlier = grant(), later = grant(), ended = grant();
  ++later.version;
  ended.ended = "invalid_grant";
  CHECK(supersedes(later, earlier));
  CHECK(supersedes(ended, earlier));
  CHECK(supersedes(later, ended));  // a holder that was given up for dead has the next pair after all
  CHECK_FALSE(supersedes(earlier, later));
  CHECK_FALSE(supersedes(earlier, ended));
  CHECK_FALSE(supersedes(earlier, earlier));
  CHECK_FALSE(supersedes(ended, later));
}

TEST_SUITE_END();
