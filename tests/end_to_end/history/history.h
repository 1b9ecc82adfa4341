// The history checker: writers and readers on a few contacts through random replicas. Each contact has one writer,
// which writes growing numbers; a read must not return less than the greatest number whose write was answered before
// the read began. A write whose answer said `unfenced` (cache.on_redis_loss = proceed, Redis away) promises less, and
// what is missing from a read because of such writes alone is counted apart.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "tests/end_to_end/history/cluster.h"
#include "tests/support/eventually.h"

namespace history {

inline constexpr int kContacts = 3;

struct Tally {
  std::atomic<int> reads{0}, failed_reads{0}, writes{0}, unknown_writes{0}, unfenced_writes{0}, hits{0};
  std::atomic<int> violations{0};
  std::atomic<int> unfenced_violations{0};  // every write that the read missed was an unfenced one
  std::mutex mutex;
  std::string first_violation, failure;
};

class History {
 public:
  struct Options {
    int operations = 0;          // at least so many, and
    int rounds = 1;              // at least so many rounds of faults,
    milliseconds limit{60'000};  // but no longer than this: a machine under load does fewer
    int readers = 6;
  };
  History(Cluster& cluster, Options options) : cluster_(cluster), options_(options), limit_(options.limit) {}

  // `fault` is called for each round, on this thread, while the traffic goes on.
  void run(const std::function<void()>& fault);
  bool going() const { return going_ && !limit_.passed(); }
  void hold_writes(bool held) { writes_held_ = held; }  // one that is under way goes on
  void end() { going_ = false; }                        // before its time: the test has seen what it wants
  // Lets the traffic go on for so long, or until the history is over, or `enough`.
  void go_on(
      int milliseconds_, const std::function<bool()>& enough = [] { return false; }) const;
  int operations() const { return done_; }

  Tally tally;

 private:
  void write(int contact);
  void read(int reader);
  void judge(int contact, int replica, std::int64_t floor, const HttpResponse& response);
  bool all_unfenced(int contact, std::int64_t after, std::int64_t to);

  Cluster& cluster_;
  Options options_;
  Deadline limit_;
  std::atomic<bool> going_{true}, writes_held_{false};
  std::atomic<int> done_{0};
  std::array<std::atomic<std::int64_t>, kContacts> answered_{};
  struct Answered {
    std::int64_t version;
    bool unfenced;
  };
  std::array<std::vector<Answered>, kContacts> writes_;  // by tally.mutex
};

}  // namespace history
