// One run from where it stands to its end: its steps in order, each noted in Redis when it is done, so that whoever
// goes on after a crash makes none again that is known to be done. A step that may have been applied without an answer
// is made again as its operation allows (policies/flows/repeat.h). Asio thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "gateway/exchange/calls.h"
#include "gateway/flows/flow_files.h"
#include "gateway/flows/lease.h"
#include "gateway/flows/store.h"
#include "gateway/metrics/metrics.h"
#include "policies/flows/outcome.h"

namespace gateway::flows {

struct RunnerParts {
  asio::io_context& io;
  const exchange::Calls& calls;
  Store& store;
  metrics::Metrics& metrics;
  std::shared_ptr<const Flows> flows;
  std::chrono::milliseconds upstream_timeout;
};

class Runner {
 public:
  explicit Runner(RunnerParts parts) : parts_(std::move(parts)) {}

  asio::awaitable<void> run(LeasePtr lease);
  void stop() { stopping_ = true; }  // no step begins any more: each run ends after the one under way

 private:
  struct Progress;
  using ProgressPtr = std::shared_ptr<Progress>;
  // What a step's rules gave.
  struct Prepared;

  // Whose credentials and budget, where the flow says so; what is wrong with that.
  static std::optional<DeadReason> locate(Progress& progress);
  // False, here and below: the run goes no further here; it was parked, buried or left to another replica.
  asio::awaitable<bool> make_steps(ProgressPtr progress);
  asio::awaitable<bool> step(ProgressPtr progress, std::size_t index, std::size_t item);
  asio::awaitable<bool> ask_first(ProgressPtr progress, std::shared_ptr<Prepared> prepared);
  // Nothing: what it makes is not there.
  asio::awaitable<std::optional<bool>> look_for_mark(ProgressPtr progress, std::shared_ptr<Prepared> prepared);
  asio::awaitable<bool> judge(ProgressPtr progress, std::shared_ptr<Prepared> prepared, server::Response response);
  asio::awaitable<bool> done(ProgressPtr progress, std::shared_ptr<Prepared> prepared, std::string answer);
  asio::awaitable<void> later(ProgressPtr progress, Store::Park how, policies::flows::Verdict verdict);
  asio::awaitable<void> dead(ProgressPtr progress, DeadReason why);
  asio::awaitable<void> finish(ProgressPtr progress);
  exchange::Call call_of(const ProgressPtr& progress, const Prepared& prepared) const;
  // Repeats what Redis was not there for, until it is or the lease is over.
  template <typename Change>
  asio::awaitable<bool> insist(LeasePtr lease, Change change);

  RunnerParts parts_;
  bool stopping_ = false;
};

}  // namespace gateway::flows
