// What the operating system lets this process do: no core dumps, which would hold secrets, and as many open files as it
// may have. Called by the main thread at the start.
#pragma once

#include <cstddef>

namespace gateway {

void disable_core_dumps();

// Raises the soft limit of open files, usually 1024, to what the system allows: connections need more.
void raise_descriptor_limit();

// `wanted` clients' connections, or fewer where the limit of open files leaves no room for them beside what the
// upstream, Redis and the admin address need: without those an orchestrator would see a process that answers nobody.
// Logs when it is fewer.
std::size_t most_connections(std::size_t wanted);

}  // namespace gateway
