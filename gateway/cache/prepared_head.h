// Whether a head that was kept elsewhere may be sent as it is: Redis is not this process, and what stands in it may be
// of another release, of a mistaken writer or of one who means harm. Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace gateway::cache {

// What Entry::make() takes (RFC 9112 sections 4 to 6): the status line of `status`, one that has a body; then field
// lines, each ended by CRLF and without any other control character; Content-Length once, which is `body_size`; and no
// other framing, which the connection answers for.
bool is_prepared_head(std::string_view head, int status, std::size_t body_size);

}  // namespace gateway::cache
