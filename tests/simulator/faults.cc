#include "tests/simulator/faults.h"

#include <charconv>

#include "tests/simulator/call.h"

namespace simulator {

namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Part {
  std::string_view name;
  std::string_view value;
};

Part next_part(std::string_view& text) {
  const auto end = text.find(';');
  const std::string_view part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  const auto equals = part.find('=');
  return {part.substr(0, equals), equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1)};
}

std::optional<FaultKind> kind_named(std::string_view name) {
  if (name == "status") return FaultKind::Status;
  if (name == "latency") return FaultKind::Latency;
  if (name == "reset-before") return FaultKind::ResetBefore;
  if (name == "reset-after") return FaultKind::ResetAfter;
  if (name == "hang") return FaultKind::Hang;
  if (name == "slow-body") return FaultKind::SlowBody;
  if (name == "wrong-length") return FaultKind::WrongLength;
  if (name == "garbage") return FaultKind::Garbage;
  return std::nullopt;
}

bool take_first(const Part& part, Fault& fault) {
  if (number(part.name)) {
    fault.kind = FaultKind::Status;
    fault.status = *number(part.name);
    return fault.status >= 400 && fault.status <= 599;
  }
  const auto kind = kind_named(part.name);
  if (!kind) return false;
  fault.kind = *kind;
  if (*kind == FaultKind::Status) {
    fault.status = number(part.value).value_or(0);
    return fault.status >= 200 && fault.status <= 599;
  }
  const bool pauses = *kind == FaultKind::Latency || *kind == FaultKind::SlowBody;
  if (part.value.empty()) return *kind != FaultKind::Latency;
  const auto pause = parse_duration(part.value);
  if (!pauses || !pause) return false;
  fault.pause = *pause;
  return true;
}

bool take_option(const Part& part, Fault& fault) {
  if (part.name == "retry-after" && number(part.value)) {
    fault.retry_after = *number(part.value);
    return fault.retry_after >= 0;
  }
  if (part.name == "applied" && part.value.empty()) return fault.applied = true;
  return false;
}

}  // namespace

std::variant<std::string, Fault> parse_fault(std::string_view text) {
  const std::string whole(text);
  Fault fault;
  bool right = take_first(next_part(text), fault);
  while (right && !text.empty()) right = fault.kind == FaultKind::Status && take_option(next_part(text), fault);
  if (right) return fault;
  return "unknown fault '" + whole +
         "': expected status=N[;retry-after=S][;applied], 429, latency=DURATION, reset-before, reset-after, hang, "
         "slow-body[=DURATION], wrong-length or garbage";
}

std::variant<std::string, FaultRule> parse_fault_rule(const Value& body) {
  const auto text = string_member(body, "fault");
  if (!text) return "'fault' must be a string";
  const auto fault = parse_fault(*text);
  if (const auto* problem = std::get_if<std::string>(&fault)) return *problem;
  FaultRule rule;
  rule.fault = std::get<Fault>(fault);
  if (body.HasMember("match")) {
    rule.method = string_member(body["match"], "method").value_or("");
    rule.path_prefix = string_member(body["match"], "path_prefix").value_or("");
  }
  if (body.HasMember("probability")) {
    if (!body["probability"].IsNumber()) return "'probability' must be a number";
    rule.probability = body["probability"].GetDouble();
  }
  if (body.HasMember("count")) {
    if (!body["count"].IsUint64()) return "'count' must be a number";
    rule.left = body["count"].GetUint64();
  }
  return rule;
}

Fault Faults::choose(std::string_view method, std::string_view path) {
  for (FaultRule& rule : rules_) {
    if (rule.left == 0 || (!rule.method.empty() && rule.method != method) || !path.starts_with(rule.path_prefix))
      continue;
    if (rule.probability < 1.0 && random_.unit() >= rule.probability) continue;
    --rule.left;
    ++struck_;
    return rule.fault;
  }
  return {};
}

}  // namespace simulator
