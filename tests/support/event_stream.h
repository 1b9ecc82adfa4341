// A reader of server-sent events (WHATWG HTML, section 9.2.6) for tests, over a connection of its own. One thread at a
// time.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tests/support/http_client.h"

namespace test_support {

struct Event {
  std::string name;
  std::string data;
};

class EventStream {
 public:
  // Throws std::runtime_error with the status line when it is not answered 200.
  EventStream(const std::string& address, const std::string& target, const HttpFields& fields = {});

  std::optional<Event> next(milliseconds limit);  // nothing at the deadline, or at the stream's end
  // The first event from here on for which `wanted` is true.
  std::optional<Event> wait_for(milliseconds limit, const std::function<bool(const Event&)>& wanted);
  bool ended() const { return ended_; }

 private:
  bool fill(const Deadline& deadline);

  HttpClient client_;
  std::string received_;
  bool ended_ = false;
};

}  // namespace test_support
