// The worker's part of a request: parse -> access -> match operation -> location -> cache key -> memory tier. A hit
// leaves from this thread, nothing else is touched; the rest is handed to the Exchange. One Front for each worker, used
// by that worker alone.
#pragma once

#include <memory>
#include <string>

#include "gateway/cache/fence.h"
#include "gateway/cache/memory_tier.h"
#include "gateway/exchange/in_force.h"
#include "gateway/exchange/memory_guard.h"
#include "gateway/exchange/own_paths.h"
#include "gateway/exchange/refusal.h"
#include "gateway/exchange/report.h"
#include "gateway/exchange/vary_names.h"
#include "gateway/server/server.h"
#include "policies/catalogue.h"
#include "policies/freshness.h"

namespace gateway::webhooks {
class Intake;
}

namespace gateway::exchange {

class Exchange;

struct FrontParts {
  const InForceHolder& in_force;
  const policies::Catalogue& catalogue;
  cache::MemoryTier& memory;
  cache::Fence& fence;
  const VaryNames& vary_names;
  const Reporter& reporter;
  Exchange& exchange;
  webhooks::Intake& webhooks;
  const OwnPaths& own_paths;
  tracing::Tracer& tracer;
  const MemoryGuard& memory_guard;
};

class Front final : public server::Handler {
 public:
  explicit Front(FrontParts parts);

  void on_request(const server::RequestView& view, server::Reply reply) override;
  void on_refused(server::Response& answer, std::string_view reason) override;

 private:
  // What this worker knows of the request so far; views into the connection's buffers.
  struct Seen;
  bool welcome(Seen& seen);
  bool identify(Seen& seen);
  bool match(Seen& seen);
  bool locate(Seen& seen);
  bool permit(Seen& seen, const access::Client& client);
  bool from_memory(Seen& seen);
  bool has_memory(Seen& seen);
  bool may_be_cached(const policies::Operation& operation) const;
  void hand_over(Seen& seen, bool refresh);
  void hand_over_own(Seen& seen, const OwnPaths::Handler& handler);
  int urgency_of(const Seen& seen) const;
  void refuse(Seen& seen, Refusal refusal, std::string detail = {}, std::string allow = {});
  std::string_view next_id();  // until the next one

  FrontParts parts_;
  cache::MemoryTier::Reader memory_;
  std::shared_ptr<const InForce> in_force_;  // as of the request being handled
  std::string key_;                          // buffers that grow once
  std::string extra_;
  std::string id_;
  std::size_t id_prefix_;
  std::uint64_t ids_ = 0;
  tracing::Sampler sampler_;
};

}  // namespace gateway::exchange
