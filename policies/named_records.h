// Records that a request names by their ids alone ("PUT /contacts/ID"), so that nothing in the request says which
// location it reaches. With one token for several locations the upstream does not hold it to one either: a write
// changes whatever location the record is of, and whether a client restricted to locations may go there is known only
// when the record has been looked up. Pure; any thread. Found in the operation's surrogate key templates and path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/catalogue.h"

namespace policies {

enum class RecordKind : std::uint8_t { Contact, Opportunity, Business, CustomField };

struct NamedRecord {
  RecordKind kind;
  std::string id;  // decoded
  bool operator==(const NamedRecord&) const = default;
};

// More than these are not looked up for one request: it is refused.
inline constexpr std::size_t kMostNamedRecords = 100;

bool names_records(const Operation& operation);

// The kind of record that a read is the very read of ("GET /contacts/ID"): its own answer tells the location.
std::optional<RecordKind> read_of(const Operation& operation);

// Each once. Nothing where the body cannot be read or names more than kMostNamedRecords.
std::optional<std::vector<NamedRecord>> named_records(const Match& match, std::string_view query,
                                                      std::string_view body);

// Where such a record is read, "/contacts/ID", and its location in that answer.
std::string path_of(const NamedRecord& record);
// Whether that answer (200) says that the record is of another location. One that names none says nothing; one that
// cannot be read, or names several, does.
bool is_elsewhere(RecordKind kind, std::string_view answer_body, std::string_view location);
// The upstream says that there is no such contact (400, 404, 422): nothing is there to be protected. Not said of other
// kinds, whose ids may name what is read elsewhere (a folder of fields), nor of ids that are more than letters, digits,
// '-' and '_'.
bool surely_absent(const NamedRecord& record, int status);

}  // namespace policies
