// Which location a request is for: what it names itself, else the client's own, else the
// credentials' own. Decides which credentials, limit and cache entries it meets, so a request that names two locations
// in two places is refused: it would be authorised for one and executed on the other. Pure; any thread; no allocation
// where the query names it unencoded or a default applies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "policies/fields.h"

namespace policies {

struct LocationInputs {
  std::string_view path;       // the path's {locationId}, raw; empty: it has none
  std::string_view query;      // of the target, raw
  std::string_view parameter;  // another name for it in the query, beside locationId: "location_id"; empty: none
  FieldsView fields;
  std::string_view body;
  std::string_view client;       // the client's own location, empty: none
  std::string_view credentials;  // the only location there are credentials for, empty: none or several
  bool several = false;          // credentials of several locations and none that serves for all: one must be named
  bool restricted = false;       // the client may not use every location
};

class Location {
 public:
  enum class Source : std::uint8_t { Path, Query, Body, Field, Client, Credentials, Unknown };
  Location(Source source, std::string_view borrowed) : source_(source), borrowed_(borrowed) {}
  Location(Source source, std::string owned) : source_(source), owned_(std::move(owned)) {}
  // Percent-decoded; empty for Unknown. Valid while this object and the inputs are.
  std::string_view id() const { return owned_.empty() ? borrowed_ : std::string_view(owned_); }
  Source source() const { return source_; }
  bool named() const { return source_ <= Source::Field; }  // by the request itself

 private:
  Source source_;
  std::string_view borrowed_;
  std::string owned_;
};
std::string_view to_string(Location::Source source);

struct LocationProblem {  // answered 400
  enum class Reason : std::uint8_t {
    Conflicting,  // named more than once, differently, or as an object
    Missing,      // none named and no default
    // The body may name one and cannot be read (broken JSON, deeper than 64 levels, content-coded, a part of a form
    // without an end), and it matters: `several` or `restricted`. Elsewhere the request goes on, and upstream says what
    // is wrong with it.
    UnreadableBody,
  };
  Reason reason;
};
std::string_view to_string(LocationProblem::Reason reason);  // what the caller did wrong and can do, one sentence

std::variant<Location, LocationProblem> location_of(const LocationInputs& request);

}  // namespace policies
