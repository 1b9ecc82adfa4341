// A relay between one client of a server and the server, on a free port of loopback: for cutting off one of several,
// or answering it garbage, while the server itself is well. A thread of its own carries the bytes; any thread may call.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace test_support {

class TcpRelay {
 public:
  enum class Mode : std::uint8_t {
    Pass,
    Refuse,       // closes what there is and whatever comes
    Hold,         // takes connections and bytes, and passes none; what was held is passed when it is over
    HoldAnswers,  // the same, of what the server answers alone
    Garble,       // what the server answers arrives as other bytes now and then, and ends the connection
  };
  explicit TcpRelay(std::uint16_t to_port);
  ~TcpRelay();
  TcpRelay(const TcpRelay&) = delete;
  TcpRelay& operator=(const TcpRelay&) = delete;

  std::uint16_t port() const { return port_; }
  void set(Mode mode);

 private:
  struct Pipe {
    int client = -1;
    int server = -1;
    bool over = false;
  };
  void run();
  void turn();  // one round of poll
  void accept();
  bool carry(int from, int to, bool answers);
  bool garble(std::string& bytes);

  std::uint16_t to_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::atomic<Mode> mode_{Mode::Pass};
  std::atomic<bool> ending_{false};
  std::vector<Pipe> pipes_;  // the thread's own, as is all below
  std::mt19937 random_{5};
  std::thread thread_;
};

}  // namespace test_support
