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

std::string_view to_string(IdempotencyClaim claim) {
  switch (claim) {
    case IdempotencyClaim::Fresh:
      return "fresh";
    case IdempotencyClaim::Doubt:
      return "doubt";
    case IdempotencyClaim::Learned:
      return "learned";
    case IdempotencyClaim::Replay:
      return "replay";
    case IdempotencyClaim::InProgress:
      return "in-progress";
    case IdempotencyClaim::Mismatch:
      return "mismatch";
  }
  return "unknown";
}

IdempotencyClaim claim_idempotency_key(std::optional<IdempotencyRecord>& record, std::string_view fingerprint,
                                       std::string_view owner, Instant now, Duration lease) {
  if (!record)
    record = IdempotencyRecord{
        std::string(fingerprint), std::string(owner), IdempotencyPhase::UnderWay, now + lease, Instant{0}, {}};
  if (record->fingerprint != fingerprint) return IdempotencyClaim::Mismatch;
  if (record->phase == IdempotencyPhase::Settled) return IdempotencyClaim::Replay;
  if (record->owner != owner && record->lease_until > now) return IdempotencyClaim::InProgress;
  record->owner = owner;
  record->lease_until = now + lease;
  switch (record->phase) {
    case IdempotencyPhase::UnderWay:
      return IdempotencyClaim::Fresh;
    case IdempotencyPhase::Sent:
      return IdempotencyClaim::Doubt;
    default:
      return IdempotencyClaim::Learned;
  }
}

bool advance_idempotency_key(std::optional<IdempotencyRecord>& record, std::string_view fingerprint,
                             std::string_view owner, IdempotencyStep step, std::string_view answer, Instant now,
                             Duration lease) {
  const bool tells = step == IdempotencyStep::Learn || step == IdempotencyStep::Settle;
  if (!record) {
    if (step == IdempotencyStep::Renew || step == IdempotencyStep::Release) return true;
    record = IdempotencyRecord{
        std::string(fingerprint), std::string(owner), IdempotencyPhase::UnderWay, now + lease, now, {}};
  }
  if (record->fingerprint != fingerprint || record->phase == IdempotencyPhase::Settled) return false;
  if (record->owner != owner && !tells) return false;
  if (record->phase == IdempotencyPhase::Learned && !tells && step != IdempotencyStep::Renew) return false;
  record->owner = owner;
  record->lease_until = now + lease;
  switch (step) {
    case IdempotencyStep::Renew:
      break;
    case IdempotencyStep::Send:
      record->phase = IdempotencyPhase::Sent;
      record->sent_at = now;
      break;
    case IdempotencyStep::NotApplied:
      record->phase = IdempotencyPhase::UnderWay;
      break;
    case IdempotencyStep::Learn:
      record->phase = IdempotencyPhase::Learned;
      record->answer = answer;
      break;
    case IdempotencyStep::Settle:
      record->phase = IdempotencyPhase::Settled;
      record->answer = answer;
      break;
    case IdempotencyStep::Doubt:
      record->phase = IdempotencyPhase::Sent;
      record->lease_until = Instant{0};
      break;
    case IdempotencyStep::Release:
      record.reset();
      break;
  }
  return true;
}

IdempotencyVerdict judge_idempotent_answer(int status) {
  if (status >= 500) return IdempotencyVerdict::Doubt;
  if (status == 401 || status == 403 || status == 408 || status == 429) return IdempotencyVerdict::NotApplied;
  return IdempotencyVerdict::Keep;
}

}  // namespace policies
