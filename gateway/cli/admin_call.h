// One request of a command's to a running gateway, by its admin address. Blocks, 30 s at most.
#pragma once

#include <string>

namespace gateway::cli {

struct AdminRequest {
  std::string address;   // "127.0.0.1:9901", "unix:PATH"
  std::string target;    // "/cache/purge"
  std::string body;      // JSON, sent by POST; empty: a GET
  std::string key_file;  // of the admin key; empty: none is configured
};
struct AdminAnswer {
  int status = 0;    // 0: it does not answer
  std::string body;  // or why it does not
};
// Throws std::runtime_error where the key's file cannot be read.
AdminAnswer call_admin(const AdminRequest& request);

// What an answer that is no 200 says, for whoever gave the command: "No such dead letter: … (no-such-letter)", one line
// without its end.
std::string complaint_of(const AdminRequest& request, const AdminAnswer& answer);
// The last part of a problem's type: "unknown-path"; empty where the answer is no problem.
std::string problem_type(const AdminAnswer& answer);

}  // namespace gateway::cli
