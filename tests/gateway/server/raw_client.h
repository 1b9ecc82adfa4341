// A client that sends exactly the bytes it is told to and waits, with a deadline, for what comes back.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::server::test {

inline constexpr std::chrono::milliseconds kPatience{10'000};

struct Answer {
  int status = 0;
  std::string head;  // up to and with the empty line
  std::string body;  // decoded
  // The value of the first field of that name; empty where it is absent.
  std::string field(std::string_view name) const;
};

class RawClient {
 public:
  enum class End { Eof, Reset, None };

  explicit RawClient(const std::string& address, int receive_buffer = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(std::string_view bytes);
  void send_slowly(std::string_view bytes);            // one byte a packet
  std::size_t send_what_fits(std::string_view bytes);  // never blocks
  void shut_down();                                    // its sending side
  void reset();                                        // closes with RST
  void close();

  // The next answer; nothing when the connection ended first or patience did. `to_head`: it answers HEAD.
  std::optional<Answer> answer(bool to_head = false);
  // Waits until the server has closed; what it sent before is in `rest`.
  End end(std::string& rest);
  End end();
  bool receive();  // more bytes into the buffer; false at the end or when patience is at an end
  bool is_quiet(std::chrono::milliseconds time);  // nothing comes for so long
  const std::string& buffered() const { return received_; }
  void wait_for(std::string_view text);  // until the buffer has it; fails the test otherwise

 private:
  bool receive_until(std::size_t size);
  bool dechunk(std::string& body);

  int fd_ = -1;
  std::string received_;
  End end_ = End::None;
};

}  // namespace gateway::server::test
