// Cuts a connection's bytes into requests. Holds what of a request has arrived; a request that lies whole in the window
// is never copied. One for each connection, used by its worker only. No sockets and no clock, so that a fuzzer can
// drive it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/server/chunked_decoder.h"
#include "gateway/server/head_parser.h"

namespace gateway::server {

class RequestReader {
 public:
  enum class Phase { Idle, Head, Body };  // what is being waited for; Idle: nothing of a request has arrived
  enum class Status { NeedMore, Complete, Refused };
  struct Progress {
    Status status;
    std::size_t consumed;  // to be dropped from the window's front, but only after the request was handled
  };

  explicit RequestReader(const Limits& limits) : limits_(limits) {}

  // `window` starts at the first byte not yet consumed. After Complete, `head` and body() describe the request and are
  // valid as long as the window's bytes stay and reset() was not called. After Refused, refusal() says why.
  Progress read(std::string_view window, Head& head);
  void reset();  // after a request was handled

  std::string_view body() const { return body_; }
  const Refusal& refusal() const { return refusal_; }
  Phase phase() const { return phase_; }
  // True once for a request whose client waits for `100 Continue`.
  bool take_continue() { return std::exchange(continue_due_, false); }

 private:
  // A request whose body was not in the window with its head.
  struct Partial {
    std::string head;
    std::string body;
    ChunkedDecoder decoder;
  };
  enum class Scan { NeedMore, Found, Refused };

  Scan find_end(std::string_view window, Head& head);
  Scan check_size(std::string_view window);
  Progress read_head(std::string_view window, Head& head);
  Progress read_body(std::string_view window, Head& head);
  Progress finish_partial(std::size_t consumed, Head& head);
  Progress refuse(const Refusal& refusal);

  const Limits& limits_;
  Phase phase_ = Phase::Idle;
  Framing framing_ = Framing::None;
  bool continue_due_ = false;
  bool line_checked_ = false;  // the request line was looked at before the block was whole
  std::size_t scanned_ = 0;    // bytes of the window searched for line ends
  std::size_t line_start_ = 0;
  std::uint64_t body_left_ = 0;
  std::string_view body_;
  std::unique_ptr<Partial> partial_;
  Refusal refusal_{};
};

}  // namespace gateway::server
