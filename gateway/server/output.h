// Bytes on their way to one client. Small pieces are gathered so that they leave with one send; large bodies are not
// copied. Used by one worker thread.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace gateway::server {

class TlsSession;

class Output {
 public:
  enum class Sent { All, Blocked, Failed };  // Blocked: the kernel takes no more now

  std::string& tail();  // where the next bytes are appended
  void append(std::string_view bytes) { tail().append(bytes); }
  void append(std::shared_ptr<const std::string> body);  // kept alive until it was sent

  bool empty() const { return size() == 0; }
  std::size_t size() const;  // bytes not yet sent
  Sent flush(int fd);        // non-blocking; never raises SIGPIPE
  Sent flush(TlsSession& session);
  void clear();

 private:
  // `bytes` leave before `body`.
  struct Segment {
    std::string bytes;
    std::shared_ptr<const std::string> body;
    std::size_t size() const { return bytes.size() + (body ? body->size() : 0); }
  };

  template <typename Write>
  Sent flush_by(Write write);
  long send_some(int fd) const;
  long send_some(TlsSession& session) const;
  void drop(std::size_t sent);

  std::deque<Segment> segments_;
  std::size_t offset_ = 0;  // sent bytes of the first segment
};

}  // namespace gateway::server
