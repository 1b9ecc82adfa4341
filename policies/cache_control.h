// Cache-Control of requests and answers (RFC 9111 section 5.2, RFC 5861) and Pragma (5.4). Unknown directives are
// ignored; of one that is there twice the stricter counts; a number that is too large counts as the largest (RFC 9111
// section 1.2.2), a broken one as 0, so that doubt never makes an answer fresh. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "policies/fields.h"

namespace policies {

inline constexpr std::chrono::seconds kMostSeconds{2'147'483'648};

struct RequestCacheControl {
  bool no_cache = false;  // Pragma: no-cache counts where there is no Cache-Control
  bool no_store = false;
  bool only_if_cached = false;
  std::optional<std::chrono::seconds> max_age;
  std::optional<std::chrono::seconds> min_fresh;
  std::optional<std::chrono::seconds> max_stale;       // without a value: kMostSeconds
  std::optional<std::chrono::seconds> stale_if_error;  // RFC 5861 section 4
  bool operator==(const RequestCacheControl&) const = default;
};
RequestCacheControl request_cache_control(FieldsView fields);

struct AnswerCacheControl {
  bool no_store = false;
  bool no_cache = false;         // its form with field names counts as the plain one
  bool must_revalidate = false;  // proxy-revalidate and s-maxage count as it
  std::optional<std::chrono::seconds> max_age;
  std::optional<std::chrono::seconds> shared_max_age;  // s-maxage
  std::optional<std::chrono::seconds> stale_while_revalidate;
  std::optional<std::chrono::seconds> stale_if_error;
  bool operator==(const AnswerCacheControl&) const = default;
};
AnswerCacheControl answer_cache_control(FieldsView fields);

// delta-seconds: digits only; nothing where it is not that.
std::optional<std::chrono::seconds> delta_seconds(std::string_view text);

}  // namespace policies
