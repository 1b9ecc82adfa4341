// Conditional requests, both ways (RFC 9110 sections 8.8, 13 and 15.4.5): does the client hold what we would send, and
// what do we ask upstream about an entry. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "policies/fields.h"

namespace policies {

// A strong validator made from the body's bytes: 128 bits of MurmurHash3 in hexadecimal, quoted. Not against forgery:
// whoever could make two bodies with one hash owns the resource anyway.
std::string make_etag(std::string_view body);

// May a 200 be answered as 304? If-None-Match by weak comparison, "*" included; If-Modified-Since only where there is
// none (RFC 9110 section 13.2.2), in any form of a date and also later than what would be sent. `etag`,
// `last_modified`: of what would be sent, empty for none. No allocation. A list that is broken matches up to where it
// breaks.
bool not_modified(FieldsView request, std::string_view etag, std::string_view last_modified);

bool weakly_equal(std::string_view etag, std::string_view other);  // RFC 9110 section 8.8.3.2

// What a 304 carries of the 200's fields (RFC 9110 section 15.4.5).
bool carried_by_304(std::string_view field_name);

// Fields of a request that the gateway answers itself: they do not go upstream with a cacheable read, which fetches the
// whole.
bool is_precondition(std::string_view field_name);

// The fields that ask upstream whether an entry still holds, from the entry's own; empty where it sent no validator.
Fields revalidation_fields(FieldsView stored);

// An entry's fields after a 304 renewed it (RFC 9111 section 3.2): the new lines stand for all old ones of their names,
// those that describe the stored bytes stay. Without a Date among the new ones none is left: it would tell the age of
// the entry before (RFC 9110 section 6.6.1, RFC 9111 section 4.2.3).
Fields renewed_fields(FieldsView stored, FieldsView not_modified);

}  // namespace policies
