#include "gateway/token_store/grant.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <array>
#include <stdexcept>

namespace gateway::token_store {

namespace {

using policies::GrantKind;
using std::chrono::milliseconds;

[[noreturn]] void unreadable(const std::string& id) {
  throw std::runtime_error("the stored grant " + id + " is not one that this version writes");
}

class Reader {
 public:
  Reader(const std::string& id, std::string_view json) : id_(id) {
    document_.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
    if (document_.HasParseError() || !document_.IsObject()) unreadable(id_);
  }
  std::string text(const char* name) const {
    const auto& value = at(name);
    if (!value.IsString()) unreadable(id_);
    return {value.GetString(), value.GetStringLength()};
  }
  std::int64_t number(const char* name) const {
    const auto& value = at(name);
    if (!value.IsInt64()) unreadable(id_);
    return value.GetInt64();
  }

 private:
  const rapidjson::Value& at(const char* name) const {
    const auto member = document_.FindMember(name);
    if (member == document_.MemberEnd()) unreadable(id_);
    return member->value;
  }
  const std::string& id_;
  rapidjson::Document document_;
};

}  // namespace

bool supersedes(const Grant& other, const Grant& known) {
  return other.version > known.version ||
         (other.version == known.version && !other.ended.empty() && known.ended.empty());
}

std::string grant_id(std::string_view client_id, GrantKind kind, std::string_view subject) {
  return std::string(client_id).append("/").append(policies::to_string(kind)).append("/").append(subject);
}

std::string seed_mark(std::string_view refresh_token) {
  constexpr std::string_view kPurpose = "contacts-gateway seed\n";
  constexpr std::size_t kBytes = 12;
  std::string text = std::string(kPurpose).append(refresh_token);
  std::array<unsigned char, 32> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  OPENSSL_cleanse(text.data(), text.size());
  std::string mark;
  for (std::size_t i = 0; i < kBytes; ++i)
    mark.append({"0123456789abcdef"[digest[i] >> 4], "0123456789abcdef"[digest[i] & 15]});
  return mark;
}

std::string to_json(const Grant& grant) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
  const auto text = [&](const char* name, std::string_view value) {
    json.Key(name);
    json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  json.StartObject();
  text("client_id", grant.client_id);
  text("kind", policies::to_string(grant.kind));
  text("subject", grant.subject);
  text("access_token", grant.access_token.value);
  text("refresh_token", grant.refresh_token.value);
  text("scope", grant.scope);
  text("seed", grant.seed);
  text("ended", grant.ended);
  json.Key("version"), json.Int64(static_cast<std::int64_t>(grant.version));
  json.Key("obtained"), json.Int64(grant.times.obtained.count());
  json.Key("expires"), json.Int64(grant.times.expires.count());
  json.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Grant grant_from_json(std::string id, std::string_view json) {
  const Reader reader(id, json);
  Grant grant;
  grant.client_id = reader.text("client_id");
  grant.kind = reader.text("kind") == "Company" ? GrantKind::Company : GrantKind::Location;
  grant.subject = reader.text("subject");
  grant.access_token.value = reader.text("access_token");
  grant.refresh_token.value = reader.text("refresh_token");
  grant.scope = reader.text("scope");
  grant.seed = reader.text("seed");
  grant.ended = reader.text("ended");
  grant.version = static_cast<std::uint64_t>(reader.number("version"));
  grant.times = {milliseconds(reader.number("obtained")), milliseconds(reader.number("expires"))};
  grant.id = std::move(id);
  return grant;
}

}  // namespace gateway::token_store
