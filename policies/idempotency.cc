#include "policies/idempotency.h"

#include <algorithm>

namespace policies {

namespace {

std::optional<std::string> unquote(std::string_view text) {
  std::string key;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return std::nullopt;
    if (text[i] == '\\' && (++i == text.size() || (text[i] != '"' && text[i] != '\\'))) return std::nullopt;
    key += text[i];
  }
  return key;
}

bool visible(char c) { return c > ' ' && c < 0x7f; }

}  // namespace

std::optional<std::string> parse_idempotency_key(std::string_view value) {
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  std::optional<std::string> key;
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    key = unquote(value.substr(1, value.size() - 2));
    if (key && !std::all_of(key->begin(), key->end(), [](char c) { return c == ' ' || visible(c); }))
      return std::nullopt;
  } else if (value.find_first_of("\",;") == std::string_view::npos &&
             std::all_of(value.begin(), value.end(), visible)) {
    key = std::string(value);
  }
  if (!key || key->empty() || key->size() > kLongestIdempotencyKey) return std::nullopt;
  return key;
}

std::string_view to_string(IdempotencyDecision decision) {
  switch (decision) {
    case IdempotencyDecision::Fresh:
      return "fresh";
    case IdempotencyDecision::Replay:
      return "replay";
    case IdempotencyDecision::InProgress:
      return "in-progress";
    case IdempotencyDecision::Mismatch:
      return "mismatch";
  }
  return "unknown";
}

IdempotencyDecision decide_idempotency(const std::optional<IdempotencyRecord>& kept, std::string_view fingerprint) {
  if (!kept) return IdempotencyDecision::Fresh;
  if (kept->fingerprint != fingerprint) return IdempotencyDecision::Mismatch;
  return kept->answered ? IdempotencyDecision::Replay : IdempotencyDecision::InProgress;
}

bool keeps_answer(int status) { return status >= 200 && status < 500 && status != 401 && status != 429; }

}  // namespace policies
