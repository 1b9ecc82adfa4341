#include <algorithm>
#include <iomanip>
#include <ostream>
#include <stdexcept>

#include "gateway/cli/admin_call.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/exit_code.h"
#include "policies/flows/json.h"

namespace gateway::cli {

using policies::flows::Array;
using policies::flows::Json;
using policies::flows::Number;
using policies::flows::Object;

namespace {

std::string text_in(const Json& json, std::string_view name) {
  const auto* value = json.find(name);
  if (value == nullptr) return {};
  if (const auto* text = value->as<std::string>()) return *text;
  if (const auto* number = value->as<Number>()) return number->text;
  return policies::flows::to_text(*value);
}

const Array& list_in(const Json& json, std::string_view name) {
  static const Array kNone;
  const auto* value = json.find(name);
  const auto* items = value != nullptr ? value->as<Array>() : nullptr;
  return items != nullptr ? *items : kNone;
}

using Row = std::vector<std::string>;

void print_table(std::ostream& out, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i)
      out << std::left << std::setw(static_cast<int>(widths[i]) + 2) << row[i];
    out << row.back() << '\n';
  }
}

void print_list(std::ostream& out, const Json& state) {
  std::vector<Row> flows, letters{{"RUN", "SINCE", "FLOW", "STEP", "ATTEMPTS", "REASON"}};
  for (const auto& flow : list_in(state, "flows"))
    flows.push_back({text_in(flow, "name"), "on " + text_in(flow, "on"), text_in(flow, "about")});
  print_table(out, flows);
  out << '\n'
      << text_in(state, "queued") << " queued, " << text_in(state, "due") << " waiting for their next attempt, "
      << text_in(state, "dead") << " given up; the oldest is " << text_in(state, "lag_ms") << " ms old\n";
  for (const auto& letter : list_in(state, "letters")) {
    const auto field = text_in(letter, "field");
    letters.push_back({text_in(letter, "run"), text_in(letter, "since"), text_in(letter, "flow"),
                       text_in(letter, "step"), text_in(letter, "attempts"),
                       (field.empty() ? "" : field + " ") + text_in(letter, "reason")});
  }
  if (letters.size() > 1) print_table(out << '\n', letters);
}

std::string body_of(const FlowsRequest& request) {
  Object body;
  if (request.all)
    body.emplace_back("all", Json(true));
  else
    body.emplace_back("run", Json(request.run));
  return policies::flows::to_text(Json(std::move(body)));
}

// What is wrong with the command line; empty: nothing.
std::string complaint(const FlowsRequest& request) {
  const bool changes = request.action == "retry" || request.action == "drop";
  if (request.action == "list" && (request.all || !request.run.empty())) return "flows list takes no run";
  if (request.action == "show" && (request.run.empty() || request.all))
    return "flows show takes one run, as `flows list` names it";
  if (changes && request.run.empty() == !request.all)
    return "flows " + request.action + " takes either one run or --all";
  if (request.run.find_first_not_of("0123456789abcdef") != std::string::npos)
    return "expected a run as `flows list` names it, in hexadecimal";
  return {};
}

}  // namespace

int flows(const config::Inputs& inputs, const FlowsRequest& request, std::ostream& out, std::ostream& errors) try {
  if (const auto wrong = complaint(request); !wrong.empty()) {
    errors << "contacts-gateway: " << wrong << '\n';
    return kInvalid;
  }
  const auto loaded = load_settings(inputs, false, errors);
  if (!loaded) return kInvalid;
  AdminRequest call{loaded->settings->admin.listen, "/flows", {}, request.admin_key_file};
  if (request.action == "show") call.target += "/letter?run=" + request.run;
  if (request.action == "retry" || request.action == "drop") {
    call.target += "/" + request.action;
    call.body = body_of(request);
  }
  const auto answer = call_admin(call);
  if (answer.status != 200) {
    const bool none = problem_type(answer) == "unknown-path";
    errors << "contacts-gateway: "
           << (none ? "the gateway at " + call.address + " has no flows: it runs without flows.path"
                    : complaint_of(call, answer))
           << '\n';
    return kFailed;
  }
  const auto json = policies::flows::parse_json(answer.body, true);
  if (request.action == "list" && !request.json && std::holds_alternative<Json>(json))
    print_list(out, std::get<Json>(json));
  else
    out << answer.body << (answer.body.ends_with('\n') ? "" : "\n");
  return kDone;
} catch (const std::runtime_error& e) {
  errors << "contacts-gateway: " << e.what() << '\n';
  return kInvalid;
}

}  // namespace gateway::cli
