// A token as requests are sent with it. Shared by the requests that use it; the value never changes, a renewal makes a
// new one, so that comparing pointers tells whether somebody has renewed it meanwhile. Asio thread.
#pragma once

#include <openssl/crypto.h>

#include <memory>
#include <string>

namespace gateway::credentials {

struct Access {
  explicit Access(std::string token) : authorization("Bearer " + token) { OPENSSL_cleanse(token.data(), token.size()); }
  ~Access() { OPENSSL_cleanse(authorization.data(), authorization.size()); }
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  std::string authorization;  // the field's value
  bool accepted = false;      // the upstream has answered a request with it otherwise than 401
};
using AccessPtr = std::shared_ptr<Access>;

// Why there is no token for a location.
struct NoAccess {
  enum class Reason {
    None,         // no credential serves it
    Dead,         // one did, and the upstream takes its grant no more
    Unavailable,  // there will be one, but not within the time that the request may wait
  };
  Reason reason = Reason::None;
  std::string detail;  // one sentence for the problem body; empty: nothing to add
};

}  // namespace gateway::credentials
