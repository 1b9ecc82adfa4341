// The three places settings are given in, each read into Givens. Nothing here reads the process' own environment or
// arguments: they come in as values. Names that are no settings become problems, one line each.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/config/given.h"
#include "gateway/config/json_text.h"

namespace gateway::config {

using Environment = std::vector<std::pair<std::string, std::string>>;

// The text of the JSON file at `path`. What is no JSON is one problem, and nothing is returned.
std::optional<JsonText> read_file(const std::string& path, const std::string& text, Givens& givens, Problems& problems);

// GATEWAY_* variables. The path in capitals, dots as underscores; the operator's own names keep their case; an empty
// variable counts as not given (compose files pass those). Kubernetes' service variables for a Service called "gateway"
// are left alone.
void read_environment(const Environment& environment, const std::vector<std::string>& operations, Givens& givens,
                      Problems& problems);

// `--path=value` and `--path value`. Secrets are refused: anyone on the machine can read a process' arguments.
void read_flags(const std::vector<std::string>& flags, Givens& givens, Problems& problems);

}  // namespace gateway::config
