// The status page's server side: looks at everything once a second on a thread of its own, keeps five minutes of it,
// and streams it to `GET /events` as server-sent events (WHATWG HTML, section 9.2): `hello` once, then a `tick` each
// second. No request waits for any of it. A reader that falls behind skips ticks; one more than kMostReaders is
// answered 503.
//
// Made before the admin server, ended after it; stop() ends the streams and the thread, before the admin server drains.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/admin/admin.h"
#include "gateway/metrics/metrics.h"
#include "gateway/mutex.h"
#include "gateway/status/snapshot.h"

namespace gateway::status {

struct Sources {
  const metrics::Metrics& metrics;
  std::function<Now()> now;  // called on the board's thread; quick and thread-safe
};

class Board {
 public:
  static constexpr std::size_t kMostReaders = 32;
  static constexpr std::chrono::milliseconds kTick{1000};

  Board(Facts facts, Sources sources);
  ~Board();
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  void add_routes(admin::Admin& admin);  // `/` and `/events`
  void start();
  void stop();

 private:
  struct Reader;
  void run();
  void look();
  void join(const server::RequestView& request, server::Reply reply);

  const Facts facts_;
  const Sources sources_;
  // The looking thread's own.
  std::deque<Now> before_;  // ten seconds of them
  policies::Timeline timeline_;

  Mutex mutex_;
  std::condition_variable_any wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  History history_ GUARDED_BY(mutex_);
  std::string last_tick_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Reader>> readers_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace gateway::status
