#include "tests/simulator_tests/world.h"

#include <rapidjson/schema.h>

#include <fstream>
#include <iterator>

#include "tests/support/paths.h"

namespace simulator_tests {

using namespace simulator;

Options default_options() {
  Options options;
  options.seeds = {{"loc_demo", 25}};
  options.credentials.token = "simulator-token";
  options.logical_clock = true;
  return options;
}

Bench::Bench(Options options, EventSink* sink)
    : simulator_(
          std::move(options),
          [this] {
            return Now{now, std::chrono::milliseconds(1'700'000'000'000)};
          },
          sink) {}

Call Bench::call(const std::string& method, const std::string& target, const std::string& body) const {
  Call out;
  const auto mark = target.find('?');
  out.method = method;
  out.path = target.substr(0, mark);
  if (mark != std::string::npos) out.query = target.substr(mark + 1);
  out.body = body;
  out.version = version;
  out.authorization = authorization;
  return out;
}

Answer Bench::ask(Call call) {
  const Admission admission = simulator_.admit(call);
  const bool performed = !admission.refusal && admission.fault.kind != FaultKind::Status;
  return performed ? simulator_.perform(call, admission) : simulator_.refuse(call, admission);
}

Answer Bench::ask(const std::string& method, const std::string& target, const std::string& body) {
  return ask(call(method, target, body));
}

Document Bench::json(const std::string& method, const std::string& target, const std::string& body) {
  return std::move(*parse_json(ask(method, target, body).body));
}

Document Bench::control(const std::string& method, const std::string& target, const std::string& body) {
  return std::move(*parse_json(simulator_.control(call(method, target, body)).body));
}

namespace {

const Document& all_documents() {
  static const Document document = [] {
    std::ifstream file(test_support::source_dir() + "/tests/simulator_tests/documents.json");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    Document parsed;
    parsed.Parse(text.c_str());
    return parsed;
  }();
  return document;
}

}  // namespace

const Value& documents(const char* version) { return all_documents()[version]; }

std::string misfit(const char* version, const char* schema, const std::string& body) {
  const Value& schemas = documents(version)["schemas"];
  Document checked;
  checked.CopyFrom(schemas[schema], checked.GetAllocator());
  checked.AddMember("schemas", Value(schemas, checked.GetAllocator()), checked.GetAllocator());
  const rapidjson::SchemaDocument compiled(checked);
  rapidjson::SchemaValidator validator(compiled);
  const auto parsed = parse_json(body);
  if (!parsed) return "no JSON: " + body;
  if (parsed->Accept(validator)) return "";
  rapidjson::StringBuffer where;
  validator.GetInvalidDocumentPointer().StringifyUriFragment(where);
  return std::string(validator.GetInvalidSchemaKeyword()) + " at " + where.GetString() + " in " + body;
}

}  // namespace simulator_tests
