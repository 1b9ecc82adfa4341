// The loader of the bench: one thread, one epoll, one request at a time on each connection. Leaner than the servers it
// measures, so that they are the limit and not it. Every answer's status and length are checked.
//
//   bench-load PORT --target /contacts/contact0000000000001 --connections 64 --seconds 5
//     --rate N       as many requests a second, each timed from when it was due (nobody is spared by a slow answer
//                    before it); without it each connection asks again as soon as it is answered
//     --contacts N   of N contacts by Zipf (s = 1), the same ones each time
//     --uniform N    of N contacts, each as often as the others
//     --each FIRST   every request another contact, counting up from FIRST
//     --count N      ends after N requests
//     --expect N     the status of every answer; 0: any (default 200)
//     --field 'NAME: VALUE'
//     --beside       what follows describes a second load (on connections of its own, with the first one's fields),
//                    which goes on meanwhile and is not measured; in the same loop, since two loaders on one core
//                    would measure how long they wait for each other
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

struct Options {
  int port = 0;
  std::string target = "/";
  std::string fields;
  std::size_t connections = 1;
  double seconds = 5;
  double rate = 0;
  std::size_t contacts = 0;
  bool uniform = false;
  long long each = -1;
  std::uint64_t count = UINT64_MAX;
  int expect = 200;
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench-load: %s\n", why.c_str());
  std::exit(1);
}

// The first is measured.
std::vector<Options> parse(int count, char** given) {
  if (count < 2) fail("usage: bench-load PORT [--OPTION VALUE]... [--beside [--OPTION VALUE]...]");
  std::vector<Options> loads(1);
  loads.front().port = std::atoi(given[1]);
  for (int i = 2; i < count; ++i) {
    const std::string name = given[i];
    if (name == "--beside") {
      Options beside;
      beside.port = loads.front().port;
      beside.fields = loads.front().fields;
      loads.push_back(beside);
      continue;
    }
    if (++i == count) fail(name + " without a value");
    const char* value = given[i];
    Options& options = loads.back();
    if (name == "--target")
      options.target = value;
    else if (name == "--field")
      options.fields.append(value).append("\r\n");
    else if (name == "--connections")
      options.connections = std::strtoul(value, nullptr, 10);
    else if (name == "--seconds")
      options.seconds = std::atof(value);
    else if (name == "--rate")
      options.rate = std::atof(value);
    else if (name == "--contacts")
      options.contacts = std::strtoul(value, nullptr, 10);
    else if (name == "--uniform")
      options.contacts = std::strtoul(value, nullptr, 10), options.uniform = true;
    else if (name == "--each")
      options.each = std::atoll(value);
    else if (name == "--count")
      options.count = std::strtoull(value, nullptr, 10);
    else if (name == "--expect")
      options.expect = std::atoi(value);
    else
      fail("unknown option " + name);
  }
  return loads;
}

// Which request comes next, as bytes ready to send.
class Requests {
 public:
  explicit Requests(const Options& options) : options_(options), one_(bytes(options.target)), next_(options.each) {
    if (options.contacts > 0) draw();
  }

  const std::string& next() {
    if (!drawn_.empty()) return drawn_[at_++ % drawn_.size()];
    if (next_ >= 0) one_ = bytes(contact(static_cast<std::size_t>(next_++)));
    return one_;
  }

 private:
  static std::string contact(std::size_t number) {
    char path[64];
    std::snprintf(path, sizeof path, "/contacts/contact%013zu", number);
    return path;
  }
  std::string bytes(const std::string& target) const {
    return "GET " + target + " HTTP/1.1\r\nHost: bench\r\n" + options_.fields + "\r\n";
  }
  void draw() {
    std::vector<double> sums;
    double total = 0;
    for (std::size_t rank = 1; rank <= options_.contacts; ++rank)
      sums.push_back(total += options_.uniform ? 1.0 : 1.0 / static_cast<double>(rank));
    std::mt19937 random(7);
    std::uniform_real_distribution<double> any(0, total);
    for (int i = 0; i < 65536; ++i)
      drawn_.push_back(bytes(contact(
          1 + static_cast<std::size_t>(std::lower_bound(sums.begin(), sums.end(), any(random)) - sums.begin()))));
  }

  const Options& options_;
  std::string one_;
  long long next_;
  std::vector<std::string> drawn_;
  std::size_t at_ = 0;
};

struct Link {
  int fd = -1;
  bool busy = false;
  Clock::time_point due;
  std::string received;
  std::size_t wanted = 0;  // bytes of the whole answer; 0: its head is not here yet
};

class Load {
 public:
  explicit Load(const Options& options) : options_(options), requests_(options), links_(options.connections) {
    poller_ = ::epoll_create1(EPOLL_CLOEXEC);
    for (std::size_t i = 0; i < links_.size(); ++i) connect(i);
  }

  void begin() {
    begun_ = ended_ = Clock::now();
    for (std::size_t i = 0; i < links_.size(); ++i) options_.rate > 0 ? idle_.push_back(i) : send(i, Clock::now());
  }

  // Sends what is due and takes what has come; `alone`: it may wait for either. False: this load is over.
  bool step(bool alone) {
    ended_ = Clock::now();
    if (std::chrono::duration<double>(ended_ - begun_).count() >= options_.seconds || finished_ >= options_.count)
      return false;
    const int limit = send_due(ended_);
    const int ready = ::epoll_wait(poller_, events_.data(), static_cast<int>(events_.size()), alone ? limit : 0);
    for (int i = 0; i < ready; ++i) receive(events_[static_cast<std::size_t>(i)].data.u64);
    return true;
  }

  void report() const {
    const double seconds = std::chrono::duration<double>(ended_ - begun_).count();
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto micros = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    std::printf(
        "{\"requests\":%llu,\"seconds\":%.6f,\"wrong\":%llu,\"hits\":%llu,\"loader_cpu_us\":%.2f,\"p50_us\":%.0f,\"p99_"
        "us\":%.0f,"
        "\"p999_us\":%.0f}\n",
        static_cast<unsigned long long>(finished_), seconds, static_cast<unsigned long long>(wrong_),
        static_cast<unsigned long long>(hits_),
        (micros(used.ru_utime) + micros(used.ru_stime)) / static_cast<double>(std::max<std::uint64_t>(finished_, 1)),
        percentile(0.5), percentile(0.99), percentile(0.999));
  }

 private:
  void connect(std::size_t index) {
    Link& link = links_[index];
    link = Link();
    link.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(options_.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(link.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("cannot connect");
    const int on = 1;
    ::setsockopt(link.fd, SOL_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    ::epoll_ctl(poller_, EPOLL_CTL_ADD, link.fd, &event);
  }

  void send(std::size_t index, Clock::time_point due) {
    Link& link = links_[index];
    const std::string& bytes = requests_.next();
    link.busy = true;
    link.due = due;
    if (::send(link.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) lost(index);
  }

  // Sends what is due by `now`, as far as connections are idle; answers epoll's time limit.
  int send_due(Clock::time_point now) {
    if (options_.rate <= 0) return 100;
    for (;;) {
      const auto due = begun_ + std::chrono::duration_cast<Clock::duration>(
                                    std::chrono::duration<double>(static_cast<double>(sent_) / options_.rate));
      if (due > now) return due - now > microseconds(1000) ? 1 : 0;
      if (idle_.empty()) return 1;
      const auto index = idle_.front();
      idle_.pop_front();
      ++sent_;
      send(index, due);
    }
  }

  void lost(std::size_t index) {
    ++wrong_;
    ::close(links_[index].fd);
    connect(index);
    go_on(index);
  }

  void receive(std::size_t index) {
    Link& link = links_[index];
    const ssize_t got = ::recv(link.fd, buffer_.data(), buffer_.size(), 0);
    if (got <= 0) return lost(index);
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
    if (link.received.empty() && link.wanted == 0) {
      link.wanted = size_of(bytes);
      if (link.wanted == bytes.size()) return finish(index, bytes);
    }
    link.received.append(bytes);
    if (link.wanted == 0) link.wanted = size_of(link.received);
    if (link.wanted == 0 || link.received.size() < link.wanted) return;
    finish(index, link.received);
  }

  // Bytes of the answer that `bytes` begins with, by its Content-Length; 0 where its head is not whole.
  static std::size_t size_of(std::string_view bytes) {
    const auto head = bytes.find("\r\n\r\n");
    if (head == std::string_view::npos) return 0;
    std::size_t size = head + 4;
    if (bytes.size() > 12 && bytes.substr(9, 3) == "304") return size;
    constexpr std::string_view kLength = "\ncontent-length:";
    for (std::size_t line = bytes.find('\n'); line < head; line = bytes.find('\n', line + 1))
      if (bytes[line + 1] == 'C' || bytes[line + 1] == 'c')
        if (::strncasecmp(bytes.data() + line, kLength.data(), kLength.size()) == 0)
          return size + std::strtoul(bytes.data() + line + kLength.size(), nullptr, 10);
    fail("an answer without Content-Length");
  }

  void finish(std::size_t index, std::string_view answer) {
    Link& link = links_[index];
    const int status = answer.size() > 12 ? std::atoi(answer.data() + 9) : 0;
    if ((options_.expect != 0 && status != options_.expect) || answer.size() != link.wanted) ++wrong_;
    if (answer.substr(0, 2048).find("; hit") != std::string_view::npos) ++hits_;
    record(Clock::now() - link.due);
    ++finished_;
    link.received.clear();
    link.wanted = 0;
    go_on(index);
  }

  void go_on(std::size_t index) {
    links_[index].busy = false;
    if (options_.rate > 0)
      idle_.push_back(index);
    else
      send(index, Clock::now());
  }

  void record(Clock::duration took) {
    const auto micros = std::chrono::duration_cast<microseconds>(took).count();
    const auto at = std::min<std::size_t>(static_cast<std::size_t>(std::max<long long>(micros, 0)), times_.size() - 1);
    ++times_[at];
  }
  double percentile(double part) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(finished_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < times_.size(); ++i)
      if ((seen += times_[i]) >= wanted) return static_cast<double>(i);
    return static_cast<double>(times_.size());
  }

  const Options& options_;
  Requests requests_;
  std::vector<Link> links_;
  std::deque<std::size_t> idle_;
  int poller_ = -1;
  std::uint64_t sent_ = 0, finished_ = 0, wrong_ = 0, hits_ = 0;
  Clock::time_point begun_, ended_;
  std::array<epoll_event, 256> events_;
  std::array<char, 64 * 1024> buffer_;
  std::vector<std::uint32_t> times_ = std::vector<std::uint32_t>(4'000'000);  // by microsecond; the last one: longer
};

}  // namespace

int main(int count, char** given) {
  const std::vector<Options> options = parse(count, given);
  std::deque<Load> loads;
  for (const auto& each : options) loads.emplace_back(each);
  for (auto& load : loads) load.begin();
  while (loads.front().step(loads.size() == 1))
    for (std::size_t i = 1; i < loads.size(); ++i) loads[i].step(false);
  loads.front().report();
}
