// Where an export goes on: opaque to clients, checked when it comes back. It names the page that was being read and the
// last contact that was sent of it, so that an export goes on after that very contact whatever changed meanwhile. Not a
// secret and no right: the request that brings it is checked for its location like any other. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "policies/record.h"

namespace policies {

struct PageMark {  // upstream's startAfter and startAfterId; without id: the first page
  std::int64_t after_ms = 0;
  std::string after_id;
  bool operator==(const PageMark&) const = default;
};

struct RecordCursor {
  std::string location;
  Parts parts = 0;
  PageMark page;
  std::string last_id;       // the last contact that was sent; empty: none of this page
  std::int64_t last_ms = 0;  // when it was added, since 1970
  std::uint64_t done = 0;    // contacts sent so far
  bool told = false;         // upstream said of a page before where the next one begins
  bool operator==(const RecordCursor&) const = default;
};

std::string encode(const RecordCursor& cursor);                    // base64url without padding, fit for a query
std::optional<RecordCursor> decode_cursor(std::string_view text);  // nothing where it is not ours or was changed

}  // namespace policies
