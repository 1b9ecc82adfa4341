#include "gateway/process_limits.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "gateway/log/log.h"

namespace gateway {

void disable_core_dumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

MostConnections share_descriptors(std::size_t files, MostConnections wanted, std::size_t upstream,
                                  std::size_t threads) {
  constexpr std::size_t kOwn = 40, kOfAWorker = 6, kLeast = 16;
  const auto admin = std::min(std::max(files / 8, kLeast), wanted.admin);
  const auto kept = kOwn + kOfAWorker * threads + upstream + admin;
  const auto rest = std::max({files > kept ? files - kept : 0, files / 4, kLeast});
  return {std::min(rest, wanted.clients), admin};
}

MostConnections most_connections(MostConnections wanted, std::size_t upstream, std::size_t threads) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const auto most = share_descriptors(limit.rlim_cur, wanted, upstream, threads);
  if (most.clients < wanted.clients)
    log::warn("connections_limited",
              {{"most", static_cast<std::int64_t>(most.clients)},
               {"wanted", static_cast<std::int64_t>(wanted.clients)},
               {"why", std::string_view("the limit of open files (ulimit -n) leaves no more room")}});
  return most;
}

}  // namespace gateway
