#include "gateway/config/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "gateway/config/address.h"
#include "gateway/config/http_url.h"

namespace gateway::config {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr Unit kDurations[] = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit kSizes[] = {
    {"", 1}, {"B", 1}, {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {"TiB", 1ull << 40}};

// A whole number and one of `units`; nothing where it is something else or does not fit.
std::optional<std::uint64_t> scaled(std::string_view text, std::span<const Unit> units) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& known : units) {
    std::uint64_t product = 0;
    if (known.name == unit)
      return __builtin_mul_overflow(number, known.factor, &product) ? std::nullopt : std::optional(product);
  }
  return std::nullopt;
}

std::optional<double> decimal(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::string with_unit(std::uint64_t number, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units)
    if (number != 0 && number % unit.factor == 0 && !unit.name.empty()) best = &unit;
  return std::to_string(number / best->factor) + std::string(best->name);
}

std::string bound(const Setting& setting, std::uint64_t number) {
  if (setting.type == Type::Duration) return number == 0 ? "0s" : with_unit(number, kDurations);
  if (setting.type == Type::Bytes) return with_unit(number, kSizes);
  return std::to_string(number) + (setting.type == Type::Percent ? "%" : "");
}

bool in_choices(const Setting& setting, std::string_view text) {
  for (std::string_view rest = setting.choices; !rest.empty();) {
    const std::size_t end = std::min(rest.find('|'), rest.size());
    if (rest.substr(0, end) == text) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

std::string choices_in_words(const Setting& setting) {
  std::string words;
  for (char c : setting.choices) c == '|' ? words.append(" or ") : words.append(1, c);
  return words;
}

std::string shown(const Setting& setting, std::string_view text) {
  constexpr std::size_t kShown = 80;
  if (setting.secret) return "the value";
  std::string out = "\"";
  for (char c : text.substr(0, kShown)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out + (text.size() > kShown ? "…\"" : "\"");
}

Wrong not_a(const Setting& setting, std::string_view text) {
  return {shown(setting, text) + " does not fit; expected " + expected(setting)};
}

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

// The text types: nothing to convert, only something to hold against.
bool fits(const Setting& setting, std::string_view text) {
  if (text.empty() || !printable(text)) return false;
  switch (setting.type) {
    case Type::Address:
      return valid_address(text);
    case Type::HttpUrl:
      return valid_http_url(text);
    case Type::RedisUrl:
      return text.starts_with("redis://") || text.starts_with("redis+sentinel://");
    case Type::KeyHash:
      return valid_key_hash(text);
    case Type::Choice:
    case Type::ChoiceList:
      return in_choices(setting, text);
    default:
      return true;
  }
}

std::optional<Value> number(const Setting& setting, std::string_view text) {
  Value value;
  std::optional<std::uint64_t> whole;
  if (setting.type == Type::Percent || setting.type == Type::Rate) {
    const bool percent = setting.type == Type::Percent;
    if (percent && !text.ends_with('%')) return std::nullopt;
    const auto given = decimal(text.substr(0, text.size() - (percent ? 1 : 0)));
    if (!given || *given < static_cast<double>(setting.least) || *given > static_cast<double>(setting.most))
      return std::nullopt;
    if (!percent && *given <= 0) return std::nullopt;
    value.fraction = percent ? *given / 100 : *given;
    return value;
  }
  if (setting.type == Type::Count)
    whole = scaled(text, std::span(kSizes).first(1));
  else
    whole =
        scaled(text, setting.type == Type::Bytes ? std::span<const Unit>(kSizes) : std::span<const Unit>(kDurations));
  if (!whole || *whole < setting.least || *whole > setting.most) return std::nullopt;
  value.number = *whole;
  value.duration = milliseconds(setting.type == Type::Duration ? static_cast<std::int64_t>(*whole) : 0);
  return value;
}

Parsed parse_list(const Setting& setting, const rapidjson::Value& json) {
  Value value;
  for (const auto& item : json.GetArray()) {
    if (!item.IsString()) return Wrong{"a list element is not a text; expected " + expected(setting)};
    const std::string_view text(item.GetString(), item.GetStringLength());
    if (!(setting.file_form ? !text.empty() : fits(setting, text))) return not_a(setting, text);
    value.items.emplace_back(text);
  }
  return value;
}

bool is_list(Type type) { return type == Type::TextList || type == Type::ChoiceList; }

}  // namespace

std::string expected(const Setting& setting) {
  const std::string range = " from " + bound(setting, setting.least) + " to " + bound(setting, setting.most);
  switch (setting.type) {
    case Type::Text:
      return "a text of one line";
    case Type::Switch:
      return "true or false";
    case Type::Count:
      return "a whole number" + range;
    case Type::Bytes:
      return "a size" + range + ", in bytes or with KiB, MiB, GiB, TiB, like 64MiB";
    case Type::Duration:
      return "a duration" + range + ", with ms, s, m, h or d, like 30s";
    case Type::Percent:
      return "a percentage" + range + ", like 5%";
    case Type::Rate:
      return "a number above 0, up to " + std::to_string(setting.most);
    case Type::Address:
      return "IP:PORT, like 127.0.0.1:8080 or [::]:8080, or unix:PATH";
    case Type::HttpUrl:
      return "http:// or https:// with a host, an optional port and path, and no user, query or fragment";
    case Type::RedisUrl:
      return "redis://[user:password@]host:port/db or redis+sentinel://host:port,…/name";
    case Type::Path:
      return "the path of a file";
    case Type::KeyHash:
      return "what `contacts-gateway hash-key` prints: sha256:SALT:HASH";
    case Type::Choice:
      return choices_in_words(setting);
    case Type::ChoiceList:
      return "a list of " + choices_in_words(setting);
    case Type::TextList:
      return "a text or a list of texts";
    case Type::List:
      return "a list of objects";
  }
  return {};
}

Parsed parse_text(const Setting& setting, std::string_view text) {
  Value value;
  switch (setting.type) {
    case Type::Switch:
      if (text != "true" && text != "false") return not_a(setting, text);
      value.on = text == "true";
      return value;
    case Type::Count:
    case Type::Bytes:
    case Type::Duration:
    case Type::Percent:
    case Type::Rate:
      if (auto parsed = number(setting, text)) return *parsed;
      return not_a(setting, text);
    case Type::TextList:
    case Type::ChoiceList:
      // A PEM key has many lines, so a text list takes any text.
      if (text.empty() || (setting.type == Type::ChoiceList && !fits(setting, text))) return not_a(setting, text);
      value.items.emplace_back(text);
      return value;
    default:
      if (!fits(setting, text)) return not_a(setting, text);
      value.text = text;
      if (setting.type == Type::HttpUrl)
        while (value.text.ends_with('/')) value.text.pop_back();
      return value;
  }
}

Parsed parse_json(const Setting& setting, const rapidjson::Value& json) {
  const bool takes_number = setting.type == Type::Count || setting.type == Type::Bytes;
  const bool takes_text = setting.type != Type::Count && setting.type != Type::Switch && setting.type != Type::Rate &&
                          setting.type != Type::List && setting.type != Type::ChoiceList;
  if (json.IsString() && takes_text) return parse_text(setting, {json.GetString(), json.GetStringLength()});
  if (json.IsUint64() && takes_number) return parse_text(setting, std::to_string(json.GetUint64()));
  if (json.IsBool() && setting.type == Type::Switch) return parse_text(setting, json.GetBool() ? "true" : "false");
  if (json.IsArray() && is_list(setting.type)) return parse_list(setting, json);
  if (json.IsNumber() && setting.type == Type::Rate) {
    Value value;
    value.fraction = json.GetDouble();
    if (value.fraction > 0 && value.fraction <= static_cast<double>(setting.most)) return value;
  }
  if (json.IsString()) return not_a(setting, {json.GetString(), json.GetStringLength()});
  if (json.IsNumber()) return Wrong{"this number does not fit; expected " + expected(setting)};
  static constexpr std::string_view kKinds[] = {"null", "false", "true", "an object", "a list"};
  return Wrong{std::string(kKinds[json.GetType()]) + " does not fit; expected " + expected(setting)};
}

bool valid_key_hash(std::string_view text) {
  constexpr std::string_view kScheme = "sha256:";
  constexpr std::size_t kSalt = 32, kHash = 64;  // hexadecimal digits
  if (!text.starts_with(kScheme)) return false;
  text.remove_prefix(kScheme.size());
  return text.size() == kSalt + 1 + kHash && text[kSalt] == ':' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':'; }) &&
         std::count(text.begin(), text.end(), ':') == 1;
}

}  // namespace gateway::config
