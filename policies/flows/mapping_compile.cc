#include <algorithm>
#include <array>

#include "policies/flows/mapping_rule.h"
#include "policies/flows/phone.h"

namespace policies::flows {

namespace {

class Compiler {
 public:
  Compiler(const Json& written, const std::string& field, const Scope& scope, Problems& problems)
      : written_(written), field_(field), scope_(scope), problems_(problems) {}

  std::shared_ptr<const Rule> run() {
    for (const auto& [name, value] : std::get<Object>(written_.value)) member(name, value);
    check_whole();
    return std::make_shared<const Rule>(std::move(rule_));
  }

 private:
  using Take = void (Compiler::*)(const Json&);
  struct Word {
    std::string_view name;
    Take take;
  };
  static const std::array<Word, 18> kWords;

  void wrong(const Json& at, std::string what) { problems_.push_back({at.line, field_, std::move(what)}); }
  bool given(std::string_view name) const { return written_.find(name) != nullptr; }

  void member(const std::string& name, const Json& value) {
    const auto word = std::find_if(kWords.begin(), kWords.end(), [&](const Word& w) { return w.name == name; });
    if (word != kWords.end()) return (this->*word->take)(value);
    if (!name.starts_with('$'))
      return wrong(value, "'" + name + "' stands beside rules; an object is either rules ($…) or plain members");
    std::string all;
    for (const auto& known : kWords) all.append(all.empty() ? "" : " ").append(known.name);
    wrong(value, "unknown rule '" + name + "'; there are " + all);
  }

  void check_whole() {
    int sources = 0;
    for (const auto name : {"$from", "$text", "$const", "$all"}) sources += given(name) ? 1 : 0;
    if (sources != 1) wrong(written_, "expected exactly one of $from, $text, $const and $all");
    for (const auto name : {"$zone", "$plus", "$to"})
      if (given(name) && !rule_.date) wrong(written_, std::string(name) + " is of use only beside $date");
    if (given("$otherwise") && !given("$lookup")) wrong(written_, "$otherwise is of use only beside $lookup");
    if (rule_.date && !rule_.zone) rule_.zone = std::make_shared<const Zone>(Zone::fixed(Seconds{0}));
    if (rule_.lower && rule_.upper) wrong(written_, "$lower and $upper exclude each other");
  }

  const std::string* text_of(const Json& value, std::string_view name) {
    const auto* text = value.as<std::string>();
    if (text == nullptr || text->empty()) wrong(value, std::string(name) + ": expected a text");
    return text != nullptr && !text->empty() ? text : nullptr;
  }
  void flag(const Json& value, std::string_view name, bool& into) {
    if (const auto* on = value.as<bool>())
      into = *on;
    else
      wrong(value, std::string(name) + ": expected true or false");
  }
  void choice(const Json& value, std::string_view name, std::initializer_list<std::string_view> choices,
              const std::function<void(std::size_t)>& chosen) {
    const auto* text = value.as<std::string>();
    std::string all;
    for (std::size_t i = 0; i < choices.size(); ++i) {
      if (text != nullptr && *text == choices.begin()[i]) return chosen(i);
      all.append(all.empty() ? "" : ", ").append(choices.begin()[i]);
    }
    wrong(value, std::string(name) + ": expected one of " + all);
  }

  void from(const Json& value) {
    const auto* several = value.as<Array>();
    if (several != nullptr && several->empty()) wrong(value, "$from: expected at least one path");
    for (const auto& path : several != nullptr ? *several : Array{value})
      if (auto compiled = compile_path(path, field_, scope_, problems_)) rule_.from.push_back(std::move(*compiled));
  }

  void text(const Json& value) {
    const auto* given_text = text_of(value, "$text");
    if (given_text == nullptr) return;
    std::string_view rest = *given_text;
    while (!rest.empty()) {
      const auto open = rest.find('{');
      if (open != 0) rule_.text.push_back({std::string(rest.substr(0, open)), {}});
      if (open == std::string_view::npos) return;
      const auto close = rest.find('}', open);
      if (close == std::string_view::npos) return wrong(value, "$text: a { without its }");
      Json path(std::string(rest.substr(open + 1, close - open - 1)));
      path.line = value.line;
      if (auto compiled = compile_path(path, field_, scope_, problems_))
        rule_.text.push_back({{}, std::move(*compiled)});
      rest.remove_prefix(close + 1);
    }
  }

  void constant(const Json& value) { rule_.constant = value; }

  void all(const Json& value) {
    const auto* parts = value.as<Array>();
    if (parts == nullptr) return wrong(value, "$all: expected a list, whose parts are joined to one");
    for (const auto& part : *parts)
      rule_.all.push_back(
          compile_node(part, field_ + ".$all[" + std::to_string(rule_.all.size()) + "]", scope_, problems_));
  }

  void fallback(const Json& value) {
    rule_.fallback =
        std::make_shared<const Mapping::Node>(compile_node(value, field_ + ".$default", scope_, problems_));
  }
  void trim(const Json& value) { flag(value, "$trim", rule_.trim); }
  void lower(const Json& value) { flag(value, "$lower", rule_.lower); }
  void upper(const Json& value) { flag(value, "$upper", rule_.upper); }
  void split(const Json& value) {
    if (const auto* text = text_of(value, "$split")) rule_.split = *text;
  }

  void phone(const Json& value) {
    const auto* country = text_of(value, "$phone");
    if (country == nullptr) return;
    if (!is_known_country(*country))
      return wrong(value, "$phone: '" + *country + "' is none of the countries known: " + known_countries());
    rule_.phone = *country;
  }

  void date(const Json& value) {
    const auto* format = text_of(value, "$date");
    if (format == nullptr) return;
    if (const auto why = date_format_problem(*format)) return wrong(value, "$date: " + *why);
    rule_.date = *format;
  }

  void zone(const Json& value) {
    const auto* name = text_of(value, "$zone");
    if (name == nullptr) return;
    auto found = scope_.zones(*name);
    if (auto* why = std::get_if<std::string>(&found)) return wrong(value, "$zone: " + *why);
    rule_.zone = std::get<std::shared_ptr<const Zone>>(found);
  }

  void plus(const Json& value) {
    const auto* text = text_of(value, "$plus");
    if (text == nullptr) return;
    const auto span = parse_span(*text);
    if (!span) return wrong(value, "$plus: expected a time span: 90s, 15m, 2h, 3d, 1w, with a minus for the past");
    rule_.plus = *span;
  }
  void to(const Json& value) {
    choice(value, "$to", {"date-time", "date"}, [&](std::size_t i) { rule_.date_only = i == 1; });
  }

  void lookup(const Json& value) {
    rule_.looks_up = true;
    if (const auto* table = value.as<Object>()) {
      rule_.table = *table;
      return;
    }
    const auto* name = value.as<std::string>();
    const auto found = name != nullptr ? scope_.tables.find(*name) : scope_.tables.end();
    if (found == scope_.tables.end())
      return wrong(value, "$lookup: expected a table, or the name of one of the flow's \"tables\"");
    rule_.table = found->second;
  }
  void otherwise(const Json& value) {
    rule_.otherwise =
        std::make_shared<const Mapping::Node>(compile_node(value, field_ + ".$otherwise", scope_, problems_));
  }
  void type(const Json& value) {
    choice(value, "$type", {"text", "number", "boolean", "list"},
           [&](std::size_t) { rule_.type = std::get<std::string>(value.value); });
  }
  void empty(const Json& value) {
    choice(value, "$empty", {"drop", "drop-parent", "null", "keep", "error", "skip"},
           [&](std::size_t i) { rule_.empty = static_cast<Empty>(i); });
  }

  const Json& written_;
  const std::string& field_;
  const Scope& scope_;
  Problems& problems_;
  Rule rule_;
};

const std::array<Compiler::Word, 18> Compiler::kWords{{{"$from", &Compiler::from},
                                                       {"$text", &Compiler::text},
                                                       {"$const", &Compiler::constant},
                                                       {"$all", &Compiler::all},
                                                       {"$default", &Compiler::fallback},
                                                       {"$trim", &Compiler::trim},
                                                       {"$lower", &Compiler::lower},
                                                       {"$upper", &Compiler::upper},
                                                       {"$split", &Compiler::split},
                                                       {"$phone", &Compiler::phone},
                                                       {"$date", &Compiler::date},
                                                       {"$zone", &Compiler::zone},
                                                       {"$plus", &Compiler::plus},
                                                       {"$to", &Compiler::to},
                                                       {"$lookup", &Compiler::lookup},
                                                       {"$otherwise", &Compiler::otherwise},
                                                       {"$type", &Compiler::type},
                                                       {"$empty", &Compiler::empty}}};

}  // namespace

std::shared_ptr<const Rule> compile_rule(const Json& written, const std::string& field, const Scope& scope,
                                         Problems& problems) {
  return Compiler(written, field, scope, problems).run();
}

}  // namespace policies::flows
