#include "policies/location.h"

#include <optional>

#include "policies/field_syntax.h"
#include "policies/json_strings.h"
#include "policies/percent.h"

namespace policies {

namespace {

using Reason = LocationProblem::Reason;
using Source = Location::Source;

constexpr std::string_view kName = "locationId";

// Gathers what the places name: the first one stands, a different one is a conflict.
class Named {
 public:
  void encoded(Source source, std::string_view value) {
    if (value.find_first_of("%+") == std::string_view::npos) return borrowed(source, value);
    std::string decoded;
    append_decoded(decoded, value, source != Source::Path);
    copied(source, decoded);
  }
  void borrowed(Source source, std::string_view value) {
    if (differs(value)) return;
    if (!value.empty() && !location_) location_.emplace(source, value);
  }
  void copied(Source source, std::string_view value) {
    if (differs(value)) return;
    if (!value.empty() && !location_) location_.emplace(source, std::string(value));
  }
  bool conflicting() const { return conflicting_; }
  std::optional<Location>& location() { return location_; }

 private:
  bool differs(std::string_view value) {
    if (!location_ || value.empty() || location_->id() == value) return false;
    conflicting_ = true;
    return true;
  }
  std::optional<Location> location_;
  bool conflicting_ = false;
};

bool is_named(std::string_view encoded, std::string_view also) {
  const auto names = [&](std::string_view name) { return name == kName || (!also.empty() && name == also); };
  if (encoded.find('%') == std::string_view::npos) return names(encoded);
  std::string decoded;
  append_decoded(decoded, encoded);
  return names(decoded);
}

// A query or a form: name=value pairs between '&'.
void read_pairs(std::string_view pairs, std::string_view also, Source source, Named& named) {
  while (!pairs.empty()) {
    const std::size_t end = pairs.find('&');
    const std::string_view pair = pairs.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && is_named(pair.substr(0, equals), also))
      named.encoded(source, pair.substr(equals + 1));
    pairs = end == std::string_view::npos ? std::string_view{} : pairs.substr(end + 1);
  }
}

enum class BodyForm { None, Json, PerhapsJson, Pairs, Coded };

std::string_view media_type(std::string_view content_type) {
  return trimmed(content_type.substr(0, content_type.find(';')));
}

bool ends_with_json(std::string_view type) {
  return type.size() >= 5 &&
         (same_name(type.substr(type.size() - 5), "/json") || same_name(type.substr(type.size() - 5), "+json"));
}

// Servers read these forms as the request's parameters; without a type they differ, so that one is read where it can
// be.
BodyForm form_of(const LocationInputs& request) {
  if (request.body.empty()) return BodyForm::None;
  const std::string_view type = media_type(find_field(request.fields, "Content-Type").value_or(""));
  const bool json = ends_with_json(type);
  const bool pairs = same_name(type, "application/x-www-form-urlencoded");
  if (!type.empty() && !json && !pairs) return BodyForm::None;
  const auto coding = find_field(request.fields, "Content-Encoding");
  if (coding && !coding->empty() && !same_name(*coding, "identity")) return BodyForm::Coded;
  if (pairs) return BodyForm::Pairs;
  return json ? BodyForm::Json : BodyForm::PerhapsJson;
}

// False where a body that may name a location cannot be read.
bool read_body(const LocationInputs& request, Named& named) {
  const BodyForm form = form_of(request);
  if (form == BodyForm::None) return true;
  if (form == BodyForm::Coded) return false;
  if (form == BodyForm::Pairs) {
    read_pairs(request.body, {}, Source::Body, named);
    return true;
  }
  const auto text =
      json_strings(request.body, kName, [&](std::string_view value) { named.copied(Source::Body, value); });
  return text == JsonText::Whole || form == BodyForm::PerhapsJson;
}

void read_fields(FieldsView fields, Named& named) {
  for (const auto& field : fields)
    if (same_name(field.name, kName) || same_name(field.name, "X-Location-Id"))
      named.borrowed(Source::Field, field.value);
}

}  // namespace

std::string_view to_string(Location::Source source) {
  switch (source) {
    case Source::Path:
      return "path";
    case Source::Query:
      return "query";
    case Source::Body:
      return "body";
    case Source::Field:
      return "field";
    case Source::Client:
      return "client";
    case Source::Credentials:
      return "credentials";
    case Source::Unknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view to_string(LocationProblem::Reason reason) {
  switch (reason) {
    case Reason::Conflicting:
      return "The request names two different locations; name one, in one place.";
    case Reason::Missing:
      return "There are several locations and the request names none; add locationId to the query or the body, or send "
             "it in an X-Location-Id field.";
    case Reason::UnreadableBody:
      return "The request's body is not JSON that can be read (at most 64 levels deep, no content coding), so its "
             "location cannot be told.";
  }
  return "unknown";
}

std::variant<Location, LocationProblem> location_of(const LocationInputs& request) {
  Named named;
  named.encoded(Source::Path, request.path);
  read_pairs(request.query, request.parameter, Source::Query, named);
  const bool readable = read_body(request, named);
  read_fields(request.fields, named);
  if (named.conflicting()) return LocationProblem{Reason::Conflicting};
  if (!readable && (request.several || request.restricted)) return LocationProblem{Reason::UnreadableBody};
  if (named.location()) return std::move(*named.location());
  if (!request.client.empty()) return Location(Source::Client, request.client);
  if (request.several) return LocationProblem{Reason::Missing};
  if (!request.credentials.empty()) return Location(Source::Credentials, request.credentials);
  return Location(Source::Unknown, std::string_view{});
}

}  // namespace policies
