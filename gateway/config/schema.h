// The settings file's shape as JSON Schema (draft 4), made from the table. `config.schema.json` is this text, kept as a
// file for editors and built into the program; a test holds the two together.
#pragma once

#include <rapidjson/document.h>

#include <string>

#include "gateway/config/json_text.h"

namespace embedded {
extern const char config_schema[];
}

namespace gateway::config {

std::string schema_text();

// Holds a settings file against the built-in schema; empty where it fits, else one line with the place.
std::string check_schema(const JsonText& json);

// README's settings table, in Markdown.
std::string markdown_table();

}  // namespace gateway::config
