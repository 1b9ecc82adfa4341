#include "policies/cache_control.h"

#include <algorithm>

#include "policies/field_syntax.h"

namespace policies {

namespace {

using std::chrono::seconds;

struct Directive {
  std::string_view name;
  std::optional<std::string_view> value;  // without quotes
};

Directive directive_of(std::string_view element) {
  const std::size_t equals = element.find('=');
  if (equals == std::string_view::npos) return {trimmed(element), std::nullopt};
  return {trimmed(element.substr(0, equals)), unquoted(trimmed(element.substr(equals + 1)))};
}

template <typename Each>
bool for_each_directive(FieldsView fields, Each each) {
  bool any = false;
  for (const auto& field : fields) {
    if (!same_name(field.name, "Cache-Control")) continue;
    any = true;
    for (std::string_view rest = field.value; !rest.empty();) each(directive_of(take_element(rest)));
  }
  return any;
}

void shorter(std::optional<seconds>& limit, const Directive& directive) {
  const seconds value = delta_seconds(directive.value.value_or("")).value_or(seconds{0});
  limit = limit ? std::min(*limit, value) : value;
}

void longer(std::optional<seconds>& limit, const Directive& directive) {
  // A client whose wish for freshness cannot be read gets a fresh answer.
  const seconds value = delta_seconds(directive.value.value_or("")).value_or(kMostSeconds);
  limit = limit ? std::max(*limit, value) : value;
}

void max_stale(std::optional<seconds>& limit, const Directive& directive) {
  if (directive.value)
    shorter(limit, directive);
  else if (!limit)
    limit = kMostSeconds;
}

}  // namespace

std::optional<seconds> delta_seconds(std::string_view text) {
  if (text.empty()) return std::nullopt;
  seconds value{0};
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min(value * 10 + seconds{c - '0'}, kMostSeconds);
  }
  return value;
}

RequestCacheControl request_cache_control(FieldsView fields) {
  RequestCacheControl request;
  const bool any = for_each_directive(fields, [&](const Directive& directive) {
    const auto is = [&](std::string_view name) { return same_name(directive.name, name); };
    if (is("no-cache"))
      request.no_cache = true;
    else if (is("no-store"))
      request.no_store = true;
    else if (is("only-if-cached"))
      request.only_if_cached = true;
    else if (is("max-age"))
      shorter(request.max_age, directive);
    else if (is("min-fresh"))
      longer(request.min_fresh, directive);
    else if (is("max-stale"))
      max_stale(request.max_stale, directive);
    else if (is("stale-if-error"))
      shorter(request.stale_if_error, directive);
  });
  if (any) return request;
  for (const auto& field : fields)
    if (same_name(field.name, "Pragma") && same_name(trimmed(field.value), "no-cache")) request.no_cache = true;
  return request;
}

AnswerCacheControl answer_cache_control(FieldsView fields) {
  AnswerCacheControl answer;
  for_each_directive(fields, [&](const Directive& directive) {
    const auto is = [&](std::string_view name) { return same_name(directive.name, name); };
    if (is("no-store"))
      answer.no_store = true;
    else if (is("no-cache"))
      answer.no_cache = true;
    else if (is("must-revalidate") || is("proxy-revalidate"))
      answer.must_revalidate = true;
    else if (is("max-age"))
      shorter(answer.max_age, directive);
    else if (is("s-maxage"))
      shorter(answer.shared_max_age, directive);
    else if (is("stale-while-revalidate"))
      shorter(answer.stale_while_revalidate, directive);
    else if (is("stale-if-error"))
      shorter(answer.stale_if_error, directive);
  });
  answer.must_revalidate |= answer.shared_max_age.has_value();
  return answer;
}

}  // namespace policies
