// The admin address: `/metrics`, `/healthz`, `/readyz`, `/operations`, `POST /cache/purge`, the status page, and what
// other parts add. Parts register routes and readiness checks before the server starts; afterwards nothing changes
// here, so the server's workers share it without a lock. Routes and checks are called on those workers' threads: quick
// and thread-safe. Who may: metrics and health are open; the rest needs the admin key where one is configured, and is
// refused without one on an address that others can reach. A write that a browser sends from another site is refused
// (its Origin is not this host), and so is, where no key is configured, what a browser sends for a name that is not
// this machine's (a page elsewhere can let its own name point here: DNS rebinding).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/server/server.h"

namespace gateway::admin {

// One part of what must work for the gateway to be of use.
struct ReadyPart {
  std::string name;
  bool ready = true;
  std::string why;  // in words for an operator, where it is not ready; no secret, no personal data
};

struct Route {
  std::string method;  // "GET" answers HEAD too
  std::string path;
  bool open = false;  // served without the admin key
  std::function<void(const server::RequestView&, server::Reply)> answer;
  // Where a key is configured it is served without: a page that holds no data and asks for the key itself.
  bool without_key = false;
};

struct Access {
  std::string key_hash;    // empty: no key is configured
  bool reachable = false;  // others can reach the address
};

class Admin {
 public:
  explicit Admin(Access access);  // with /healthz and /readyz
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  void add(Route route);
  void add_ready_check(std::function<ReadyPart()> check);

  // Handlers that share this object; it must outlive the server.
  server::HandlerFactory handlers() const;

 private:
  class Handler;
  void ready(server::Reply reply) const;

  Access access_;
  std::vector<Route> routes_;
  std::vector<std::function<ReadyPart()>> checks_;
};

// An answer of one piece; `type` is its Content-Type. Never cached by anyone.
server::Response answer(int status, std::string_view type, std::string body);

}  // namespace gateway::admin
