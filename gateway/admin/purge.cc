#include "gateway/admin/purge.h"

#include <stdexcept>

#include "gateway/config/json_text.h"
#include "gateway/server/problem.h"

namespace gateway::admin {

namespace {

constexpr const char* kExpected =
    R"(expected exactly one of {"keys":["contact:ID"]}, {"location":"ID"} and {"all":true})";

bool is_text(const rapidjson::Value& value) { return value.IsString() && value.GetStringLength() > 0; }

}  // namespace

std::variant<Purge, BadPurge> parse_purge(std::string_view body) try {
  const auto json = config::parse_json_text("body", std::string(body)).document;
  if (!json->IsObject() || json->MemberCount() != 1) return BadPurge{kExpected};
  Purge purge;
  const auto& [name, value] = *json->MemberBegin();
  if (name == "all" && value.IsTrue()) {
    purge.all = true;
  } else if (name == "location" && is_text(value)) {
    purge.location.assign(value.GetString(), value.GetStringLength());
  } else if (name == "keys" && value.IsArray() && !value.Empty()) {
    for (const auto& key : value.GetArray()) {
      if (!is_text(key)) return BadPurge{"every element of keys is a text, like contact:ID"};
      purge.keys.emplace_back(key.GetString(), key.GetStringLength());
    }
  } else {
    return BadPurge{kExpected};
  }
  return purge;
} catch (const std::invalid_argument& e) {
  return BadPurge{e.what()};
}

Route purge_route(PurgeFunction purge) {
  return {
      "POST", "/cache/purge", false,
      [purge = std::move(purge)](const server::RequestView& request, server::Reply reply) {
        auto parsed = parse_purge(request.body);
        if (const auto* bad = std::get_if<BadPurge>(&parsed))
          return reply.send(server::to_response(
              {400, "http_request_error", "bad-purge", "The body names nothing to purge", bad->why}));
        purge(std::get<Purge>(std::move(parsed)), [reply](const Purged& purged) {
          if (purged.done)
            return reply.send(answer(200, "application/json", "{\"purged\":" + std::to_string(purged.entries) + "}\n"));
          reply.send(server::to_response({503, "", "purge-failed", "The cache was not purged everywhere", purged.why}));
        });
      }};
}

}  // namespace gateway::admin
