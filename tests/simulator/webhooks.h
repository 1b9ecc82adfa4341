// Delivers webhook events from a background thread: signed, in order, one at a time, with retries and growing pauses;
// then given up and counted. The URL may come later, by the control API, since a gateway learns its upstream's port
// first. Any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <string>
#include <thread>

#include "tests/simulator/http_post.h"
#include "tests/simulator/mutex.h"
#include "tests/simulator/signer.h"
#include "tests/simulator/simulator.h"

namespace simulator {

struct WebhookOptions {
  std::string url;         // empty: events are dropped
  std::string key;         // Ed25519 private key file; empty: a fresh key
  std::string legacy_key;  // RSA private key file
  bool legacy = false;     // sign with RSA too; implied by legacy_key
  std::size_t attempts = 6;
  std::chrono::milliseconds first_pause{100};  // doubles after each attempt
};

class Webhooks : public EventSink {
 public:
  explicit Webhooks(WebhookOptions options);
  ~Webhooks() override;  // gives up what is not delivered yet

  bool wants_events() const override;
  void send(std::string body) override;
  // GET webhooks: public keys, URL, counts; POST webhooks {"url":…}; POST webhooks/send {"event":{…},
  // "signature":"valid"|"legacy"|"forged"|"none"}.
  Answer control(const Call& call, const Now& now) override;
  std::string book() const override;

 private:
  enum class Signature { Valid, Legacy, Forged, None };
  struct Delivery {
    std::string body;
    Signature signature = Signature::Valid;
  };
  struct Book {
    std::size_t queued = 0;
    std::size_t delivered = 0;
    std::size_t failed = 0;
    std::size_t retries = 0;
    int last_status = 0;
  };
  void run();
  void deliver(const Delivery& delivery, const Url& url);
  bool pause(std::chrono::milliseconds length);  // false: stopping
  std::vector<std::pair<std::string, std::string>> fields(const Delivery& delivery) const;
  Answer send_given(const Document& body, const Now& now);
  void push(Delivery delivery) SIMULATOR_REQUIRES(mutex_);

  const WebhookOptions options_;
  const Signer signer_;
  const std::unique_ptr<const Signer> legacy_;
  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::string url_ SIMULATOR_GUARDED_BY(mutex_);
  std::deque<Delivery> queue_ SIMULATOR_GUARDED_BY(mutex_);
  Book book_ SIMULATOR_GUARDED_BY(mutex_);
  bool stopping_ SIMULATOR_GUARDED_BY(mutex_) = false;
  HttpPost http_;  // the delivering thread's own
  std::thread thread_;
};

}  // namespace simulator
