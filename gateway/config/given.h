// What the sources (settings file, environment, flags) gave, before it becomes Settings. A later source replaces an
// earlier one's value of the same path; a list is replaced whole. Single-threaded, lives while load() runs.
#pragma once

#include <rapidjson/document.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/config/table.h"

namespace gateway::config {

// One line each, every one naming its origin.
using Problems = std::vector<std::string>;

// Where each member of a settings file stands: "clients[0].name" -> "gateway.json:3:5".
using Positions = std::map<std::string, std::string>;

enum class Source { File, Environment, Flag };

struct Given {
  std::string path;  // with the operator's own names filled in, without "_file"
  const Setting* setting = nullptr;
  std::string id;          // what stands for "<id>" in the path
  bool file_form = false;  // the text is the path of a file that holds the value
  Source source = Source::File;
  std::string origin;                          // "gateway.json:3:5", "GATEWAY_LISTEN", "--listen"
  std::string text;                            // from variables and flags
  const rapidjson::Value* json = nullptr;      // from the file; lists from anywhere
  std::shared_ptr<rapidjson::Document> owner;  // keeps `json`
  std::shared_ptr<const Positions> positions;  // of the members of a list; null: all are at `origin`
};

struct Found {
  const Setting* setting = nullptr;
  std::string id;
  bool file_form = false;
};

// The row for a path given in parts; "[]" stands for an element of a list.
std::optional<Found> find_setting(const std::vector<std::string>& parts);
// Whether some row lies below these parts.
bool is_section(const std::vector<std::string>& parts);
std::string join_path(const std::vector<std::string>& parts);
// " (did you mean cache.memory_bytes?)" or nothing.
std::string similar_setting(const std::string& path);

class Givens {
 public:
  // Refuses what one source gives twice, the file form beside the plain one included.
  void put(Given given, Problems& problems);
  const std::map<std::string, Given>& all() const { return by_path_; }

 private:
  std::map<std::string, Given> by_path_;
};

}  // namespace gateway::config
