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

std::size_t most_connections(std::size_t wanted) {
  constexpr std::size_t kKept = 256, kLeast = 16;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const std::size_t files = limit.rlim_cur;
  const auto most = std::min(std::max(files > 2 * kKept ? files - kKept : files / 2, kLeast), wanted);
  if (most < wanted)
    log::warn("connections_limited",
              {{"most", static_cast<std::int64_t>(most)},
               {"wanted", static_cast<std::int64_t>(wanted)},
               {"why", std::string_view("the limit of open files (ulimit -n) leaves no more room")}});
  return most;
}

}  // namespace gateway
