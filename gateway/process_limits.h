// What the operating system lets this process do: no core dumps, which would hold secrets, and as many open files as it
// may have. Called by the main thread at the start.
#pragma once

#include <cstddef>

namespace gateway {

void disable_core_dumps();

// Raises the soft limit of open files, usually 1024, to what the system allows: connections need more.
void raise_descriptor_limit();

// Connections to the two addresses at most.
struct MostConnections {
  std::size_t clients = 0, admin = 0;
};

// Of `files` that may be open: what the upstream may take and what the process itself needs (listeners, Redis, files,
// the loops of its `threads` workers) is kept, since without them an orchestrator would see a process that answers
// nobody; clients get the rest, `wanted` at most and a quarter at least.
MostConnections share_descriptors(std::size_t files, MostConnections wanted, std::size_t upstream, std::size_t threads);

// The same for this process' limit. Logs when clients get fewer than `wanted`.
MostConnections most_connections(MostConnections wanted, std::size_t upstream, std::size_t threads);

}  // namespace gateway
