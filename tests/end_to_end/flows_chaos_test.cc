// Leads over three replicas while replicas and Redis are killed at random and the upstream loses answers: every lead
// that was acknowledged is one contact with its tasks once each. GATEWAY_TEST_FULL: 10,000 of them.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <random>
#include <thread>

#include "tests/end_to_end/flows_world.h"

using namespace flows_world;

namespace {

constexpr std::size_t kReplicas = 3;

bool full() { return std::getenv("GATEWAY_TEST_FULL") != nullptr; }

// Sends leads until each is acknowledged, through whichever replica answers.
class Senders {
 public:
  Senders(World& world, int leads) : world_(world), leads_(leads) {
    for (int i = 0; i < 6; ++i) threads_.emplace_back([this, i] { send(i); });
  }
  ~Senders() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
  }
  bool done() const { return acknowledged_ == leads_; }
  int acknowledged() const { return acknowledged_; }
  int attempts() const { return attempts_; }

 private:
  void send(int seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    for (int lead = next_++; lead < leads_; lead = next_++) {
      while (!stop_) {
        ++attempts_;
        try {
          if (world_.lead(lead_of(lead), "lead-" + std::to_string(lead), "web", random() % kReplicas).status == 202) {
            ++acknowledged_;
            break;
          }
        } catch (const HttpError&) {
        }
        eventually(milliseconds(20), [&] { return stop_.load(); });
      }
    }
  }

  World& world_;
  const int leads_;
  std::atomic<int> next_{0}, acknowledged_{0}, attempts_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_SUITE("flows chaos") {
  TEST_CASE("leads over three replicas that are killed, and a Redis that is: each is one contact with its tasks once") {
    const int leads = full() ? 10'000 : 240;
    World world(lead_flows(),
                {.replicas = static_cast<int>(kReplicas), .lasting = true, .simulator = {"--latency", "0ms-5ms"}});
    world.control("faults",
                  R"({"match":{"method":"POST","path_prefix":"/contacts"},"fault":"reset-after","probability":0.02})");
    std::mt19937 random(11);
    int killed = 0, redis_killed = 0;
    {
      Senders senders(world, leads);
      const int rounds = full() ? 60 : 5;
      for (int round = 1; round <= rounds; ++round) {
        // In the middle of the work: so many contacts are there, their tasks are on the way.
        const auto reached = static_cast<std::size_t>(leads * round / (rounds + 1));
        REQUIRE(eventually(kLong * 2, [&] { return world.contacts() >= reached; }));
        if (random() % 4 == 0) {
          ++redis_killed;
          world.redis().restart();
        } else {
          ++killed;
          const auto victim = random() % kReplicas;
          world.gateway(victim).process().signal(SIGKILL);
          world.start(victim);
        }
      }
      REQUIRE(eventually(kLong * 10, [&] { return senders.done(); }));
      MESSAGE(leads, " leads in ", senders.attempts(), " attempts, replicas killed ", killed, " times, Redis ",
              redis_killed);
    }
    world.control("faults", "", "DELETE");
    REQUIRE(eventually(
        full() ? milliseconds(1'800'000) : milliseconds(120'000), [&] { return world.idle(); }, milliseconds(100)));
    auto book = world.book();
    CHECK(book.total == static_cast<std::size_t>(leads));
    int wrong = 0;
    for (int lead = 0; lead < leads; ++lead) {
      const auto email = email_of(lead);
      const std::multiset<std::string> tasks{"Call Lead Number " + std::to_string(lead), "Follow up"};
      const bool right = book.contacts[email] == 1 && book.tasks[email] == tasks &&
                         book.phones[email] == phone_of(lead) &&
                         book.tags[email] == std::multiset<std::string>{"hot", "lead"};
      if (!right && ++wrong <= 5) {
        std::string all;
        for (const auto& task : book.tasks[email]) all += task + ", ";
        FAIL_CHECK(email, " ", book.contacts[email], " contacts, tasks: ", all, " phone ", book.phones[email]);
      }
    }
    CHECK(wrong == 0);
    CHECK(world.flows().integer("dead") == 0);
    CHECK(killed > 0);
  }
}
