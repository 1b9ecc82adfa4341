// The lines of a streamed answer, held back while the client is slower than we are. Asio thread only, but for the
// client's drain, which comes from its worker.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "gateway/server/reply.h"

namespace gateway::records {

class Outlet {
 public:
  Outlet(asio::io_context& io, server::Reply reply);

  void start(server::Response head);
  // One JSON text, which leaves with the next flush(). The line breaks that upstream may have put between its tokens
  // become spaces; inside of strings JSON has none.
  void add_line(std::string_view json);
  std::size_t waiting() const { return buffer_.size(); }
  // Returns when there is room for more. A client that has left never has room: its hang-up cancels the caller.
  asio::awaitable<void> flush();
  void end() const { reply_.end(); }

 private:
  struct Drain {
    explicit Drain(asio::io_context& io) : told(io, asio::steady_timer::time_point::max()) {}
    asio::steady_timer told;
    bool happened = false;
  };
  asio::io_context& io_;
  server::Reply reply_;
  std::shared_ptr<Drain> drain_;
  std::string buffer_;
};

}  // namespace gateway::records
