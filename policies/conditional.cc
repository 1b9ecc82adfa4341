#include "policies/conditional.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "policies/hash128.h"
#include "policies/http_date.h"

namespace policies {

namespace {

constexpr std::array<std::string_view, 6> kIn304 = {"Cache-Control", "Content-Location", "Date",
                                                    "ETag",          "Expires",          "Vary"};
constexpr std::array<std::string_view, 6> kPreconditions = {"If-None-Match",       "If-Modified-Since", "If-Match",
                                                            "If-Unmodified-Since", "If-Range",          "Range"};
// They describe the bytes that were stored, so a 304 must not change them (RFC 9111 section 3.2).
constexpr std::array<std::string_view, 4> kOfTheBytes = {"Content-Encoding", "Content-Length", "Content-Range",
                                                         "Content-Type"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::any_of(names, [&](std::string_view each) { return same_name(each, name); });
}

// The entity-tag that `list` begins with, W/ included; empty where it begins with none.
std::string_view leading_etag(std::string_view list) {
  const std::size_t open = list.starts_with("W/") ? 2 : 0;
  if (list.size() <= open || list[open] != '"') return {};
  const std::size_t close = list.find('"', open + 1);
  return close == std::string_view::npos ? std::string_view{} : list.substr(0, close + 1);
}

bool list_matches(std::string_view list, std::string_view etag) {
  while (true) {
    const std::size_t begin = list.find_first_not_of(", \t");
    if (begin == std::string_view::npos) return false;
    list.remove_prefix(begin);
    if (list.front() == '*') return true;
    const std::string_view each = leading_etag(list);
    if (each.empty()) return false;
    if (weakly_equal(each, etag)) return true;
    list.remove_prefix(each.size());
  }
}

// Of two dates in any of their forms (RFC 9110 section 5.6.7). Two-digit years are those from 1971 to 2070.
bool not_before(std::string_view date, std::string_view other) {
  constexpr std::chrono::seconds kIn2020{1'600'000'000};
  const auto first = parse_http_date(date, kIn2020), second = parse_http_date(other, kIn2020);
  return first && second && *first >= *second;
}

}  // namespace

std::string make_etag(std::string_view body) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const Hash128 hash = hash128(body);
  std::string etag(34, '"');
  std::size_t at = 1;
  for (const std::uint64_t half : {hash.high, hash.low})
    for (int shift = 60; shift >= 0; shift -= 4) etag[at++] = kDigits[(half >> shift) & 15];
  return etag;
}

bool weakly_equal(std::string_view etag, std::string_view other) {
  const auto opaque = [](std::string_view tag) { return tag.starts_with("W/") ? tag.substr(2) : tag; };
  return !etag.empty() && opaque(etag) == opaque(other);
}

bool not_modified(FieldsView request, std::string_view etag, std::string_view last_modified) {
  bool asked_by_etag = false;
  for (const auto& field : request) {
    if (!same_name(field.name, "If-None-Match")) continue;
    asked_by_etag = true;
    if (list_matches(field.value, etag)) return true;
  }
  if (asked_by_etag || last_modified.empty()) return false;
  const auto since = find_field(request, "If-Modified-Since");
  return since && (*since == last_modified || not_before(*since, last_modified));
}

bool carried_by_304(std::string_view field_name) { return among(kIn304, field_name); }

bool is_precondition(std::string_view field_name) { return among(kPreconditions, field_name); }

Fields revalidation_fields(FieldsView stored) {
  Fields fields;
  if (const auto etag = find_field(stored, "ETag")) fields.add("If-None-Match", std::string(*etag));
  if (const auto date = find_field(stored, "Last-Modified")) fields.add("If-Modified-Since", std::string(*date));
  return fields;
}

Fields renewed_fields(FieldsView stored, FieldsView not_modified) {
  Fields renewed;
  for (const auto& field : stored)
    if (among(kOfTheBytes, field.name) || (!same_name(field.name, "Date") && !find_field(not_modified, field.name)))
      renewed.add(std::string(field.name), std::string(field.value));
  for (const auto& field : not_modified)
    if (!among(kOfTheBytes, field.name)) renewed.add(std::string(field.name), std::string(field.value));
  return renewed;
}

}  // namespace policies
