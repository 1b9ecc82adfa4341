#include "policies/flows/flow.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace policies::flows {

namespace {

class Compiler {
 public:
  Compiler(const FlowParts& parts, const Json& json) : parts_(parts), json_(json) {}

  std::variant<Flow, Problems> run(const std::string& file) {
    flow_.file = file;
    flow_.name = std::get<std::string>(json_.find("name")->value);
    if (const auto* about = json_.find("about")) flow_.about = std::get<std::string>(about->value);
    scope_.zones = parts_.zones;
    if (const auto* tables = json_.find("tables"))
      for (const auto& [name, table] : std::get<Object>(tables->value))
        scope_.tables.emplace(name, std::get<Object>(table.value));
    start(*json_.find("on"));
    if (const auto* when = json_.find("when")) flow_.when = Condition::compile(*when, "when", scope_, problems_);
    if (const auto* location = json_.find("location"))
      flow_.location = Mapping::compile(*location, "location", scope_, problems_);
    if (const auto* order = json_.find("in_order_of"))
      flow_.in_order_of = Mapping::compile(*order, "in_order_of", scope_, problems_);
    if (const auto* attempts = json_.find("attempts")) flow_.attempts = whole(*attempts);
    for (const auto& written : std::get<Array>(json_.find("do")->value)) step(written);
    if (problems_.empty()) return std::move(flow_);
    std::stable_sort(problems_.begin(), problems_.end(),
                     [](const Problem& a, const Problem& b) { return a.line < b.line; });
    return std::move(problems_);
  }

 private:
  void wrong(const Json& at, const std::string& field, std::string what) {
    problems_.push_back({at.line, field, std::move(what)});
  }

  static int whole(const Json& number) {
    int value = 0;
    const auto& text = std::get<Number>(number.value).text;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }

  void start(const Json& on) {
    const bool zoned = on.find("zone") != nullptr;
    const auto* every = on.find("every");
    if (std::get<Object>(on.value).size() != (zoned ? 2 : 1) || (zoned && every == nullptr))
      return wrong(on, "on", "expected exactly one of event, lead and every (with its zone)");
    if (const auto* event = on.find("event")) return start_by_event(*event);
    if (const auto* lead = on.find("lead")) {
      flow_.on = LeadStart{std::get<std::string>(lead->value)};
      return;
    }
    auto zone = std::make_shared<const Zone>(Zone::fixed(Seconds{0}));
    if (zoned) {
      const auto& named = *on.find("zone");
      auto found = parts_.zones(std::get<std::string>(named.value));
      if (auto* why = std::get_if<std::string>(&found)) return wrong(named, "on.zone", *why);
      zone = std::get<std::shared_ptr<const Zone>>(found);
    }
    auto schedule = Schedule::parse(std::get<std::string>(every->value), zone);
    if (!schedule)
      return wrong(*every, "on.every", "expected an interval from 1m to 31d (15m, 6h, 1d) or a time of day (03:30)");
    flow_.on = std::move(*schedule);
  }

  void start_by_event(const Json& event) {
    EventStart start;
    const auto* several = event.as<Array>();
    for (const auto& named : several != nullptr ? *several : Array{event}) {
      const auto& name = std::get<std::string>(named.value);
      const auto& all = parts_.triggers.all();
      if (std::none_of(all.begin(), all.end(), [&](const Trigger& t) { return t.name == name; }))
        wrong(named, "on.event", "no event '" + name + "'; `contacts-gateway operations` lists them");
      start.events.push_back(name);
    }
    flow_.on = std::move(start);
  }

  void step(const Json& written) {
    const std::string field = "do[" + std::to_string(flow_.steps.size()) + "]";
    Step& step = flow_.steps.emplace_back();
    step.name = std::get<std::string>(written.find("step")->value);
    if (std::find(scope_.steps.begin(), scope_.steps.end(), step.name) != scope_.steps.end())
      wrong(*written.find("step"), field + ".step", "another step is called '" + step.name + "'");
    if (const auto* each = written.find("each")) {
      step.each = compile_path(*each, field + ".each", scope_, problems_);
      scope_.item = true;
    }
    if (const auto* when = written.find("when"))
      step.when = Condition::compile(*when, field + ".when", scope_, problems_);
    if (const auto* location = written.find("location"))
      step.location = Mapping::compile(*location, field + ".location", scope_, problems_);
    if (const auto* version = written.find("version")) step.version = std::get<std::string>(version->value);
    if (const auto* accept = written.find("accept"))
      for (const auto& status : std::get<Array>(accept->value)) step.accept.push_back(whole(status));
    operation(written, field, step);
    scope_.item = false;
    scope_.steps.push_back(step.name);
  }

  void operation(const Json& written, const std::string& field, Step& step) {
    const auto& named = *written.find("operation");
    step.operation = parts_.catalogue.find(std::get<std::string>(named.value));
    if (step.operation == nullptr)
      return wrong(
          named, field + ".operation",
          "no operation '" + std::get<std::string>(named.value) + "'; `contacts-gateway operations` lists them");
    const auto* path = written.find("path");
    parameters(path, field + ".path", step.path);
    check_path(path != nullptr ? *path : written, field + ".path", step);
    parameters(written.find("query"), field + ".query", step.query);
    if (const auto* body = written.find("body")) {
      if (step.operation->method == "GET") wrong(*body, field + ".body", "a GET has no body");
      Problems wrong_body;  // while it runs, its fields are told without the step's place, which has a name then
      step.body = Mapping::compile(*body, "body", scope_, wrong_body);
      for (auto& problem : wrong_body)
        problems_.push_back({problem.line, field + "." + problem.field, std::move(problem.what)});
    }
    step.repeat = repeat_of(*step.operation);
    check_marking(written, field, step);
  }

  void parameters(const Json* written, const std::string& field, std::vector<std::pair<std::string, Mapping>>& into) {
    if (written == nullptr) return;
    for (const auto& [name, value] : std::get<Object>(written->value))
      into.emplace_back(name, Mapping::compile(value, field + "." + name, scope_, problems_));
  }

  void check_path(const Json& at, const std::string& field, const Step& step) {
    const auto& wanted = step.operation->parameter_names;
    for (const auto& name : wanted)
      if (std::none_of(step.path.begin(), step.path.end(), [&](const auto& given) { return given.first == name; }))
        wrong(at, field + "." + name, "is missing; the path is " + step.operation->path);
    for (const auto& [name, mapping] : step.path)
      if (std::find(wanted.begin(), wanted.end(), name) == wanted.end())
        wrong(at, field + "." + name, "is no part of the path " + step.operation->path);
  }

  void check_marking(const Json& written, const std::string& field, Step& step) {
    const auto* once = written.find("once");
    if (once != nullptr && step.repeat != Repeat::Marked)
      return wrong(*once, field + ".once", "is for operations that make a task or a note");
    if (step.repeat != Repeat::Marked) return;
    if (once != nullptr && *once == Json(false)) {
      step.repeat = Repeat::Unsure;
      return;
    }
    const auto* body = written.find("body");
    if (body == nullptr || body->as<Object>() == nullptr)
      wrong(written, field + ".body", "is missing: what " + step.operation->name + " makes is marked in it");
  }

  const FlowParts& parts_;
  const Json& json_;
  Flow flow_;
  Scope scope_;
  Problems problems_;
};

}  // namespace

bool Flow::on_event(std::string_view event) const {
  const auto* start = std::get_if<EventStart>(&on);
  return start != nullptr && std::find(start->events.begin(), start->events.end(), event) != start->events.end();
}

bool Flow::on_lead(std::string_view source) const {
  const auto* start = std::get_if<LeadStart>(&on);
  return start != nullptr && (start->source == "*" || start->source == source);
}

std::variant<Flow, Problems> compile_flow(const std::string& file, std::string_view text, const FlowParts& parts) {
  const auto json = parse_json(text);
  if (const auto* problem = std::get_if<JsonProblem>(&json)) return Problems{{problem->line, {}, problem->what}};
  if (auto problem = schema_problem(text, std::get<Json>(json))) return Problems{std::move(*problem)};
  return Compiler(parts, std::get<Json>(json)).run(file);
}

}  // namespace policies::flows
