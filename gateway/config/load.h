// Settings from everywhere they are given: defaults < JSON file < environment < flags. Reads the
// named files and nothing else; environment and flags come in as values. Called at start (and on a reload), by one
// thread.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/settings.h"
#include "gateway/config/sources.h"

namespace gateway::config {

struct Inputs {
  std::string file;  // of --config; empty: what GATEWAY_CONFIG names, or none
  // What that file said when it was last accepted: where only secrets' files are to be read again.
  std::optional<std::string> file_text;
  Environment environment;
  std::vector<std::string> flags;       // the arguments that are no command and no option of a command
  std::vector<std::string> operations;  // the catalogue's names, for cache.operations.<name>
};

// One line of `check`: a setting, its value (secrets hidden) and where it came from.
struct Effective {
  std::string path;
  std::string value;
  std::string origin;  // "default", "gateway.json:3:5", "GATEWAY_LISTEN", "--listen"
};

struct Loaded {
  std::shared_ptr<const Settings> settings;
  std::vector<Effective> effective;
  std::string file_text;                  // the settings file's; empty where there is none
  std::vector<std::string> secret_files;  // what was read beside it
};

// Everything that is wrong, one line each, with the path, what was expected and where it stands.
class Invalid : public std::runtime_error {
 public:
  explicit Invalid(Problems problems);
  const Problems& problems() const { return problems_; }

 private:
  Problems problems_;
};

// Throws Invalid. What only makes sense together is not looked at here: see checks.h.
Loaded load(const Inputs& inputs);

// The process' own environment.
Environment process_environment();

}  // namespace gateway::config
