#include "policies/location.h"

#include <algorithm>
#include <optional>

#include "policies/field_syntax.h"
#include "policies/json_strings.h"
#include "policies/percent.h"
#include "policies/query.h"

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
  void object() { conflicting_ = true; }  // whatever the upstream makes of it, it is no location's id
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

Naming naming(std::string_view encoded, std::string_view wanted, std::string_view also) {
  std::string decoded;
  if (encoded.find('%') != std::string_view::npos) append_decoded(decoded, encoded);
  const auto name = decoded.empty() ? encoded : std::string_view(decoded);
  const auto by_name = naming_of(name, wanted);
  return by_name == Naming::No ? naming_of(name, also) : by_name;
}

// A query or a form: name=value pairs between '&'.
void read_pairs(std::string_view pairs, std::string_view also, Source source, Named& named) {
  while (!pairs.empty()) {
    const std::size_t end = pairs.find('&');
    const std::string_view pair = pairs.substr(0, end);
    const std::size_t equals = pair.find('=');
    const auto how = equals == std::string_view::npos ? Naming::No : naming(pair.substr(0, equals), kName, also);
    if (how == Naming::Exactly || how == Naming::Otherwise) named.encoded(source, pair.substr(equals + 1));
    if (how == Naming::Object) named.object();
    pairs = end == std::string_view::npos ? std::string_view{} : pairs.substr(end + 1);
  }
}

enum class BodyForm { None, Json, PerhapsJson, Pairs, Parts, Coded };

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
  const bool parts = same_name(type, "multipart/form-data");
  if (!type.empty() && !json && !pairs && !parts) return BodyForm::None;
  const auto coding = find_field(request.fields, "Content-Encoding");
  if (coding && !coding->empty() && !same_name(*coding, "identity")) return BodyForm::Coded;
  if (pairs) return BodyForm::Pairs;
  if (parts) return BodyForm::Parts;
  return json ? BodyForm::Json : BodyForm::PerhapsJson;
}

bool mentions(std::string_view text) {
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  return std::search(text.begin(), text.end(), kName.begin(), kName.end(), same) != text.end();
}

// What a part of a form is called by its head (RFC 7578 section 4.2), where that is written as everybody writes it.
std::string_view plain_name(std::string_view head) {
  constexpr std::string_view kBegin = "\r\nContent-Disposition: form-data; name=\"";
  const auto at = head.find(kBegin);
  if (at == std::string_view::npos) return {};
  const auto name = head.substr(at + kBegin.size());
  return name.substr(0, name.find('"'));
}

// A form of parts, of which only the heads are read: files may hold anything. Servers differ in how much of another
// spelling they understand. False where one that may name a location is written in another way.
bool read_parts(std::string_view type, std::string_view body, Named& named) {
  constexpr std::string_view kBoundary = "boundary=", kHeadEnd = "\r\n\r\n";
  const auto given = type.find(kBoundary);
  if (given == std::string_view::npos) return !mentions(body);
  const auto boundary = type.substr(given + kBoundary.size());
  const auto mark = "\r\n--" + std::string(unquoted(trimmed(boundary.substr(0, boundary.find(';')))));
  auto rest = body.starts_with(std::string_view(mark).substr(2)) ? body.substr(mark.size() - 2) : std::string_view();
  while (!rest.empty() && !rest.starts_with("--")) {
    const auto head_end = rest.find(kHeadEnd), end = rest.find(mark);
    if (end == std::string_view::npos || head_end > end) return !mentions(rest);
    const auto head = rest.substr(0, head_end + 2);
    if (mentions(head)) {
      const auto name = plain_name(head);
      const auto how = naming_of(name, kName);
      const bool lines_end_well = std::ranges::count(head, '\n') == std::ranges::count(head, '\r');
      if (!lines_end_well || how == Naming::No || mentions(head.substr(head.find(name) + name.size()))) return false;
      if (how == Naming::Object) named.object();
      const auto begin = head_end + kHeadEnd.size();
      if (how != Naming::Object) named.copied(Source::Body, rest.substr(begin, end - std::min(begin, end)));
    }
    rest.remove_prefix(end + mark.size());
  }
  return !rest.empty() || !mentions(body);
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
  if (form == BodyForm::Parts)
    return read_parts(find_field(request.fields, "Content-Type").value_or(""), request.body, named);
  bool object = false;
  const auto text = json_strings(
      request.body, kName, [&](std::string_view value) { named.copied(Source::Body, value); }, &object);
  if (object) named.object();
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
      return "The request names two different locations, or one that is no text; name one, in one place.";
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
