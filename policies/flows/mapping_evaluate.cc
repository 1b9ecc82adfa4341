#include <algorithm>
#include <charconv>
#include <cmath>

#include "policies/flows/mapping_rule.h"
#include "policies/flows/phone.h"

namespace policies::flows {

namespace {

[[noreturn]] void fail(const std::string& field, std::string what) { throw Failed{{field, std::move(what)}}; }

// A number, a truth value or a text, as text; nothing for null, a list or an object.
std::optional<std::string> plain_text(const Json& value) {
  if (const auto* text = value.as<std::string>()) return *text;
  if (const auto* number = value.as<Number>()) return number->text;
  if (const auto* on = value.as<bool>()) return *on ? "true" : "false";
  return std::nullopt;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const auto strip = [&](bool front) {
    for (bool again = true; again && !text.empty();) {
      again = false;
      const char edge = front ? text.front() : text.back();
      if (kSpace.find(edge) != std::string_view::npos) {
        front ? text.remove_prefix(1) : text.remove_suffix(1);
        again = true;
      } else if (front ? text.starts_with("\xc2\xa0") : text.ends_with("\xc2\xa0")) {  // a no-break space
        front ? text.remove_prefix(2) : text.remove_suffix(2);
        again = true;
      }
    }
  };
  strip(true);
  strip(false);
  return std::string(text);
}

std::string with_case(std::string text, bool upper) {
  for (char& c : text) {
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!upper && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool is_blank(const Json& value, bool trim) {
  if (value.is_empty()) return true;
  const auto* text = value.as<std::string>();
  return trim && text != nullptr && trimmed(*text).empty();
}

Json typed(const Json& value, const std::string& type, const std::string& field) {
  if (type == "list") return Json(Array{value});
  const auto text = plain_text(value);
  if (!text) fail(field, "cannot become a " + type + ": it is an object");
  if (type == "text") return Json(*text);
  if (type == "number") {
    const auto number = trimmed(*text);
    double parsed = 0;
    const auto [rest, problem] = std::from_chars(number.data(), number.data() + number.size(), parsed);
    // What from_chars takes and JSON does not: "inf", "nan", ".5", "5.", "007".
    const std::string_view digits = std::string_view(number).substr(number.starts_with('-') ? 1 : 0);
    const bool json =
        !digits.empty() && digits.front() >= '0' && digits.front() <= '9' && digits.back() != '.' &&
        (digits.size() < 2 || digits[0] != '0' || digits[1] == '.' || digits[1] == 'e' || digits[1] == 'E');
    if (problem != std::errc() || rest != number.data() + number.size() || !json || !std::isfinite(parsed))
      fail(field, "is no number");
    return Json(Number{number});
  }
  const auto word = with_case(trimmed(*text), false);
  if (word == "true" || word == "yes" || word == "1" || word == "on") return Json(true);
  if (word == "false" || word == "no" || word == "0" || word == "off") return Json(false);
  fail(field, "is neither true nor false");
}

// Everything a rule does to one value that is not a list.
class Transform {
 public:
  Transform(const Rule& rule, const std::string& field, const Json& known)
      : rule_(rule), field_(field), known_(known) {}

  Json apply(Json value) const {
    if (!rule_.split.empty()) value = split(text_of(value));
    auto* items = std::get_if<Array>(&value.value);
    if (items == nullptr) return one(std::move(value));
    Array out;
    for (auto& item : *items) {
      Json changed = one(std::move(item));
      if (auto* several = std::get_if<Array>(&changed.value); several != nullptr && rule_.looks_up)
        std::move(several->begin(), several->end(), std::back_inserter(out));
      else if (!changed.is_empty())
        out.push_back(std::move(changed));
    }
    return Json(std::move(out));
  }

 private:
  std::string text_of(const Json& value) const {
    auto text = plain_text(value);
    if (!text) fail(field_, "is no text");
    return std::move(*text);
  }

  Json split(const std::string& text) const {
    Array parts;
    for (std::size_t at = 0; at <= text.size();) {
      const auto end = std::min(text.find(rule_.split, at), text.size());
      if (auto part = trimmed(std::string_view(text).substr(at, end - at)); !part.empty())
        parts.push_back(Json(std::move(part)));
      at = end + rule_.split.size();
    }
    return Json(std::move(parts));
  }

  Json one(Json value) const {
    if (rule_.trim || rule_.lower || rule_.upper) value = spelt(std::move(value));
    if (value.is_empty()) return value;
    if (rule_.looks_up) value = looked_up(value);
    if (value.is_empty()) return value;
    if (!rule_.phone.empty()) value = phone(text_of(value));
    if (rule_.date) value = date(text_of(value));
    if (!rule_.type.empty() && !(rule_.type == "list" && value.as<Array>() != nullptr))
      value = typed(value, rule_.type, field_);
    return value;
  }

  Json spelt(Json value) const {
    if (value.as<std::string>() == nullptr && (value.as<Object>() != nullptr || value.as<Array>() != nullptr))
      fail(field_, "is no text");
    if (value.as<std::string>() == nullptr) return value;
    auto text = std::get<std::string>(std::move(value.value));
    if (rule_.trim) text = trimmed(text);
    if (rule_.lower || rule_.upper) text = with_case(std::move(text), rule_.upper);
    return Json(std::move(text));
  }

  Json looked_up(const Json& value) const {
    const auto key = text_of(value);
    for (const auto& [name, found] : rule_.table)
      if (name == key) return found;
    if (!rule_.otherwise) fail(field_, "is not in its table, and there is no $otherwise");
    return evaluate_node(*rule_.otherwise, known_).value_or(Json());
  }

  Json phone(const std::string& text) const {
    const auto number = to_e164(text, rule_.phone);
    if (const auto* problem = std::get_if<PhoneProblem>(&number)) fail(field_, std::string(to_string(*problem)));
    return Json(std::get<std::string>(number));
  }

  Json date(const std::string& text) const {
    const auto moment = parse_date(trimmed(text), *rule_.date, *rule_.zone);
    if (!moment) fail(field_, "is no date of the form " + *rule_.date);
    const auto then = *moment + rule_.plus;
    return Json(rule_.date_only ? iso_date(then, *rule_.zone) : iso_date_time(then));
  }

  const Rule& rule_;
  const std::string& field_;
  const Json& known_;
};

// What is missing leaves no double space behind.
Json filled_text(const Rule& rule, const Json& known) {
  std::string text;
  for (const auto& piece : rule.text) {
    const Json* value = piece.path ? piece.path->in(known) : nullptr;
    const auto part = piece.path ? (value != nullptr ? plain_text(*value).value_or("") : "") : piece.literal;
    std::string_view rest = part;
    if (text.empty() || text.ends_with(' '))
      while (rest.starts_with(' ')) rest.remove_prefix(1);
    text += rest;
  }
  return Json(trimmed(text));
}

// Lists are joined, what occurs twice is kept once.
Json joined(const Rule& rule, const Json& known) {
  Array out;
  const auto add = [&](Json value) {
    if (!value.is_empty() && std::find(out.begin(), out.end(), value) == out.end()) out.push_back(std::move(value));
  };
  for (const auto& part : rule.all) {
    auto value = evaluate_node(part, known);
    if (!value) continue;
    if (auto* items = std::get_if<Array>(&value->value))
      for (auto& item : *items) add(std::move(item));
    else
      add(std::move(*value));
  }
  return Json(std::move(out));
}

Json source(const Rule& rule, const Json& known) {
  if (rule.constant) return *rule.constant;
  if (!rule.text.empty()) return filled_text(rule, known);
  if (!rule.all.empty()) return joined(rule, known);
  Json found;
  for (const auto& path : rule.from) {
    const Json* value = path.in(known);
    if (value == nullptr) continue;
    found = *value;
    if (!is_blank(found, rule.trim)) return found;
  }
  return found;  // an empty one, for "keep"
}

}  // namespace

std::optional<Json> evaluate_rule(const Rule& rule, const std::string& field, const Json& known) {
  Json value = source(rule, known);
  if (!is_blank(value, rule.trim)) value = Transform(rule, field, known).apply(std::move(value));
  if (is_blank(value, rule.trim) && rule.fallback) value = evaluate_node(*rule.fallback, known).value_or(Json());
  if (!is_blank(value, rule.trim)) return value;
  switch (rule.empty) {
    case Empty::Drop:
      return std::nullopt;
    case Empty::DropParent:
      throw DropParent{};
    case Empty::Null:
      return Json();
    case Empty::Keep:
      return value;
    case Empty::Error:
      fail(field, "is missing or empty");
    case Empty::Skip:
      throw SkipStep{};
  }
  return std::nullopt;
}

}  // namespace policies::flows
