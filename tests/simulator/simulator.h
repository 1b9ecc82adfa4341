// The whole API behind one lock: credentials, limits, faults, contacts and the books. A call comes in two steps, so
// that latency can lie between them: admit() at its arrival (token, limits, version, route, fault), perform() when it
// takes effect. Any thread. Time comes from the given clock, read under the lock: books are in order.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "tests/simulator/call.h"
#include "tests/simulator/credentials.h"
#include "tests/simulator/faults.h"
#include "tests/simulator/limits.h"
#include "tests/simulator/mutex.h"
#include "tests/simulator/world.h"

namespace simulator {

// Where webhook events go; null where nobody wants them. Called under the simulator's lock: must not block.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual bool wants_events() const = 0;
  virtual void send(std::string body) = 0;
  virtual Answer control(const Call& call, const Now& now) = 0;  // /_simulator/webhooks…
  virtual std::string book() const = 0;                          // a JSON object
};

enum class Etag { Off, Strong, Weak };

struct Options {
  WorldOptions world;
  LimitOptions limits;
  CredentialOptions credentials;
  std::vector<Seed> seeds;
  bool allow_faults = true;
  bool logical_clock = false;  // bodies' dates come from a counter: two simulators answer equal calls with equal bytes
  Etag etag = Etag::Off;
  bool vary = false;  // answers say that they vary on Accept-Language
};

// What admit() found out about a call.
struct Admission {
  std::optional<Answer> refusal;  // 401, 403, 404, 429: nothing to perform
  Route route;
  Grant grant;
  Fault fault;
  bool v3 = false;
  std::vector<std::pair<std::string, std::string>> fields;  // X-RateLimit-*
};

class Simulator {
 public:
  Simulator(Options options, Clock clock, EventSink* sink);

  Admission admit(const Call& call);
  Answer perform(const Call& call, const Admission& admission);
  Answer refuse(const Call& call, const Admission& admission);  // a refused or faulty call's answer, for the books too

  // Requests under /_simulator/.
  Answer control(const Call& call);

  // For seeding before the start.
  void add_refresh_token(const std::string& token, const Grant& grant);
  void add_code(const std::string& code, const Grant& grant);

 private:
  struct BookKey {
    std::string app;
    std::string location;
    auto operator<=>(const BookKey&) const = default;
  };

  Now now() SIMULATOR_REQUIRES(mutex_);
  void start_world() SIMULATOR_REQUIRES(mutex_);
  std::optional<Answer> refusal(const Call& call, Admission& admission, Now at) SIMULATOR_REQUIRES(mutex_);
  Answer answer(const Call& call, const Admission& admission, const std::optional<Document>& body)
      SIMULATOR_REQUIRES(mutex_);
  Answer perform_oauth(const Call& call, const Admission& admission, const std::optional<Document>& body, Now at)
      SIMULATOR_REQUIRES(mutex_);
  Answer installed_locations() const SIMULATOR_REQUIRES(mutex_);
  void finish(const Call& call, const Admission& admission, Answer& answer) SIMULATOR_REQUIRES(mutex_);
  void validate(const Call& call, Answer& answer) const;  // ETag, and If-None-Match

  Answer add_fault(const Document& body) SIMULATOR_REQUIRES(mutex_);
  Answer books(const Call& call) SIMULATOR_REQUIRES(mutex_);
  Answer arrivals(const Call& call) SIMULATOR_REQUIRES(mutex_);
  Answer reset() SIMULATOR_REQUIRES(mutex_);
  Answer seed_more(const Document& body, Now at) SIMULATOR_REQUIRES(mutex_);
  Answer revoke(const Document& body) SIMULATOR_REQUIRES(mutex_);
  Answer edit(const Document& body, Now at) SIMULATOR_REQUIRES(mutex_);
  Answer dump(const Call& call) SIMULATOR_REQUIRES(mutex_);
  Answer grant(const Document& body) SIMULATOR_REQUIRES(mutex_);
  Answer change_limits(const Document& body) SIMULATOR_REQUIRES(mutex_);
  void write_location_books(JsonWriter& json, std::chrono::microseconds width) SIMULATOR_REQUIRES(mutex_);
  void write_creations(JsonWriter& json) SIMULATOR_REQUIRES(mutex_);

  const Options options_;
  const Clock clock_;
  EventSink* const sink_;
  Mutex mutex_;
  std::unique_ptr<World> world_ SIMULATOR_GUARDED_BY(mutex_);
  Credentials credentials_ SIMULATOR_GUARDED_BY(mutex_);
  LimitOptions limits_ SIMULATOR_GUARDED_BY(mutex_);
  Faults faults_ SIMULATOR_GUARDED_BY(mutex_);
  std::map<BookKey, LimitBook> limit_books_ SIMULATOR_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, int>, std::size_t> requests_ SIMULATOR_GUARDED_BY(mutex_);  // operation, status
  std::int64_t ticks_ SIMULATOR_GUARDED_BY(mutex_) = 0;  // of the logical clock: one for each write
};

}  // namespace simulator
