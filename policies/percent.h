// Percent-encoding (RFC 3986 section 2.1): what makes two spellings of one path segment, query or id equal. Pure; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace policies {

bool is_unreserved(char c);  // RFC 3986 section 2.3
int hex_digit(char c);       // -1 where it is none

// The byte of "%41" at `at`; nothing where it is none.
std::optional<char> hex_pair(std::string_view text, std::size_t at);

// Every '%' begins a pair of hexadecimal digits.
bool well_encoded(std::string_view text);

// Bytes of `text` with its encoding undone; what is no encoding stays as it is. `plus_is_space`: as in a form's query.
void append_decoded(std::string& out, std::string_view text, bool plus_is_space = false);

// Decoded text as one unambiguous word: all but the unreserved bytes encoded, in capitals. Separators cannot occur in
// it.
void append_word(std::string& out, std::string_view decoded);

// RFC 3986 section 6.2.2: encodings of unreserved bytes undone, the others in capitals, bytes that are not visible
// ASCII (and '#') encoded. Reserved characters stay as they were spelt: "%2F" and "/" may mean different things.
void append_normalised(std::string& out, std::string_view text);

}  // namespace policies
