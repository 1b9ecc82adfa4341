// JSON as settings are written: comments allowed, parsed without recursion to a depth of 64, members given once (RFC
// 8259 leaves repeats open; a settings file with one is a mistake). Remembers where each member stands.
#pragma once

#include <rapidjson/document.h>

#include <memory>
#include <string>
#include <string_view>

#include "gateway/config/given.h"

namespace gateway::config {

struct JsonText {
  std::shared_ptr<rapidjson::Document> document;
  std::shared_ptr<const Positions> positions;
};

// Throws std::invalid_argument("NAME:LINE:COLUMN: what is wrong").
JsonText parse_json_text(const std::string& name, const std::string& text);

}  // namespace gateway::config
