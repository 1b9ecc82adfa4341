// Requests that another site's page makes a browser on this machine send. They come over loopback as programs' requests
// do, so an address that asks nobody for a key must know them: by what browsers say of a request's origin (Fetch,
// `Origin`; Fetch Metadata, `Sec-Fetch-Site`), which no page can change and programs do not send, and, of what browsers
// have marked so, by the name in Host, which another site's owner can let point here (DNS rebinding) and then look like
// the same origin. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "policies/fields.h"

namespace policies {

enum class ForeignSite : std::uint8_t {
  Page,  // another site's page sent it
  Host,  // its Host is a name that anybody may have let point here
};

// `host`: Host's value, with or without a port. Pages of this machine (an application's own on localhost) are none.
std::optional<ForeignSite> foreign_site(FieldsView fields, std::string_view host);

// An address, or localhost: what a browser cannot be made to mistake for another site's name.
bool names_this_machine(std::string_view host);

}  // namespace policies
