// A whole record: a contact with the parts that hang on it, each from an answer of its own, put together without
// changing a byte of theirs. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace policies {

struct Part {
  std::string_view name;    // in `include` and in the record
  std::string_view path;    // of its operation, after "/contacts/{contactId}"
  std::string_view member;  // of that operation's answer
};
inline constexpr std::array<Part, 3> kParts{
    {{"notes", "/notes", "notes"}, {"tasks", "/tasks", "tasks"}, {"appointments", "/appointments", "events"}}};

// Which of kParts, one bit each.
using Parts = std::uint8_t;
inline constexpr Parts kAllParts = (1 << kParts.size()) - 1;
constexpr bool includes(Parts parts, std::size_t part) { return (parts >> part & 1) != 0; }

struct UnknownPart {
  std::string name;
};
// What a query's `include` says, with all that it says in several (`include=notes&include=tasks`, `include[]=notes`) in
// one list; nothing where it has none.
std::optional<std::string> include_of(std::string_view query);

// "notes,tasks": any order, each once or more; empty: none.
std::variant<Parts, UnknownPart> parse_parts(std::string_view include);
std::string known_parts();  // "notes, tasks, appointments", for a problem's detail

// The contact in the answer of its operation, the very bytes; nothing where there is none.
std::optional<std::string_view> contact_of(std::string_view body);

// What was answered for one part: status and body as they came.
struct PartAnswer {
  std::size_t part = 0;
  int status = 0;
  std::string_view body;
};

// {"contact":…,"notes":[…],"problems":{"tasks":{"status":502,…}}}: a part that failed is missing and named under
// `problems` (only there where there is one) with the answer that it got; so is one that is no list. `contact`: the
// contact's own JSON. The closing brace is left out, so that more members may follow.
void append_record(std::string& out, std::string_view contact, const std::vector<PartAnswer>& parts);

// The problem (RFC 9457) that an answer with this status and body stands for: the body itself where it is one already,
// else one that holds it. A 200 stands for one that cannot be read.
void append_problem(std::string& out, int status, std::string_view body);

// Whether all parts are there.
bool is_whole(const std::vector<PartAnswer>& parts);

}  // namespace policies
