// Text and JSON into the table's types. Pure; a failure says what was wrong and what would be right, and never repeats
// a secret.
#pragma once

#include <rapidjson/document.h>

#include <string>
#include <string_view>
#include <variant>

#include "gateway/config/table.h"

namespace gateway::config {

struct Wrong {
  std::string message;  // `"64 megs" is not a size; expected bytes or a number with KiB, MiB, GiB, TiB, like 64MiB`
};
using Parsed = std::variant<Value, Wrong>;

// What a value of this setting looks like: "true or false".
std::string expected(const Setting& setting);

Parsed parse_text(const Setting& setting, std::string_view text);
Parsed parse_json(const Setting& setting, const rapidjson::Value& json);

// The form of `key_hash`; its meaning is gateway/access/key_hash.h's.
bool valid_key_hash(std::string_view text);

}  // namespace gateway::config
