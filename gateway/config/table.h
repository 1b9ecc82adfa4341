// Every setting once: its path, type, default, range and meaning, and the field it fills. Parsing, the JSON schema,
// `check`, `--help` and README's table all come from here. Immutable, any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/settings.h"

namespace gateway::config {

enum class Type {
  Text,
  Switch,      // true, false
  Count,       // a whole number
  Bytes,       // 1048576, 64MiB
  Duration,    // 250ms, 30s, 5m, 24h, 7d
  Percent,     // 5%, 0.5%
  Rate,        // a positive number, decimals allowed
  Address,     // 127.0.0.1:8080, [::]:8080, unix:PATH
  HttpUrl,     // http://host, https://host:port/path
  RedisUrl,    // redis://…, redis+sentinel://…
  Path,        // of a file
  KeyHash,     // made by hash-key
  Choice,      // one of `choices`
  ChoiceList,  // any of `choices`, as a list
  TextList,    // one text or a list of texts
  List,        // a list of objects, whose members are the rows "path[].member"
};

// One value as read and checked; which field holds it follows from the type.
struct Value {
  std::string text;                // Text, Address, HttpUrl, RedisUrl, Path, KeyHash, Choice
  std::string file;                // where a secret was read from
  bool on = false;                 // Switch
  std::uint64_t number = 0;        // Count, Bytes
  double fraction = 0;             // Percent (0.05 for 5%), Rate
  milliseconds duration{0};        // Duration
  std::vector<std::string> items;  // ChoiceList, TextList
  ~Value();                        // wiped: `text` may be a secret
};

struct Setting {
  // "cache.memory_bytes"; "<id>" stands for a name of the operator's own, "[]" for an element of a list.
  std::string_view path;
  Type type = Type::Text;
  std::string_view fallback = "";  // the default as one would write it; empty: none
  std::string_view doc = "";       // one line, for README and --help
  std::uint64_t least = 0;         // Count; Bytes in bytes; Duration in milliseconds; Percent in percents
  std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  std::string_view choices = "";  // "proceed|refuse-writes"
  bool secret = false;            // never shown, refused as a flag, and has the file form
  bool file_form = false;         // PATH_file names a file that holds the value (every secret has it)
  // `id`: what stood for "<id>". List elements fill the back of their list.
  void (*apply)(Settings& settings, const std::string& id, const Value& value) = nullptr;

  bool has_file_form() const { return secret || file_form; }
};

std::span<const Setting> table();

// The parts of a path: "clients[].name" is {"clients", "[]", "name"}.
std::vector<std::string_view> split_path(std::string_view path);

}  // namespace gateway::config
