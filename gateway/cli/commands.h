// The commands of contacts-gateway. Each writes its answer to `out` and what went wrong to `errors`, and returns an
// ExitCode. They run on the main thread and block.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "gateway/config/load.h"

namespace gateway::cli {

// Loads settings; with `to_serve` also refuses contradictions. Nothing where they are wrong, with what is wrong in
// `problems`, or one line each on `errors`.
std::optional<config::Loaded> load_settings(const config::Inputs& inputs, bool to_serve, config::Problems& problems);
std::optional<config::Loaded> load_settings(const config::Inputs& inputs, bool to_serve, std::ostream& errors);

// `connect`: also tries the upstream and each credential.
int check(const config::Inputs& inputs, bool connect, std::ostream& out, std::ostream& errors);
int operations(bool json, std::ostream& out);

// The key from `in` (one line), or a new one, which is then printed too: it is nowhere else.
int hash_key(bool generate, bool prompt, std::istream& in, std::ostream& out, std::ostream& errors);

struct PurgeRequest {
  std::vector<std::string> keys;
  std::string location;
  bool all = false;
  std::string admin_key_file;
};
int purge(const config::Inputs& inputs, const PurgeRequest& request, std::ostream& out, std::ostream& errors);

struct FlowsRequest {
  std::string action;  // list, show, retry, drop
  std::string run;
  bool all = false, json = false;
  std::string admin_key_file;
};
int flows(const config::Inputs& inputs, const FlowsRequest& request, std::ostream& out, std::ostream& errors);

// Lets an operator authorise the app: prints the install page's URL, waits for the browser's redirect (or a pasted
// code), exchanges it and stores the grant, which a running gateway takes from the store at once.
struct Authorization {
  std::string client_id;  // which of the configured; empty: the only one
  std::string scope = "contacts.readonly contacts.write";
  std::string install_page = "https://marketplace.gohighlevel.com/v2/oauth/chooselocation";
  bool paste = false;
  std::uint64_t wait_seconds = 600;
};
int authorize(const config::Inputs& inputs, const Authorization& request, std::istream& in, std::ostream& out,
              std::ostream& errors);

}  // namespace gateway::cli
