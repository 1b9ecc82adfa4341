#include "policies/flows/zone.h"

#include <algorithm>
#include <cstdint>

namespace policies::flows {

namespace {

using Days = std::chrono::days;

// Big-endian, as RFC 8536 has it.
std::int64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = static_cast<unsigned char>(bytes[at]) >= 0x80 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return static_cast<std::int64_t>(number);
}

struct Header {
  std::size_t ut = 0, standard = 0, leaps = 0, times = 0, types = 0, letters = 0;
  std::size_t size(std::size_t of_time) const {
    return times * (of_time + 1) + types * 6 + letters + leaps * (of_time + 4) + standard + ut;
  }
};
constexpr std::size_t kHeader = 44;

std::optional<Header> header_at(std::string_view bytes, std::size_t at) {
  if (bytes.size() < at + kHeader || bytes.substr(at, 4) != "TZif") return std::nullopt;
  const auto count = [&](std::size_t i) { return static_cast<std::size_t>(number_at(bytes, at + 20 + 4 * i, 4)); };
  const Header header{count(0), count(1), count(2), count(3), count(4), count(5)};
  for (const auto n : {header.ut, header.standard, header.leaps, header.times, header.types, header.letters})
    if (n > 100'000) return std::nullopt;
  return header;
}

class Text {
 public:
  explicit Text(std::string_view rest) : rest_(rest) {}
  bool done() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool take(char c) {
    if (peek() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool name() {
    const bool quoted = take('<');
    std::size_t length = 0;
    const auto is_letter = [&](char c) { return quoted ? c != '>' : (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    while (length < rest_.size() && is_letter(rest_[length])) ++length;
    rest_.remove_prefix(length);
    return length > 0 && (!quoted || take('>'));
  }
  std::optional<int> number() {
    if (peek() < '0' || peek() > '9') return std::nullopt;
    int value = 0;
    for (int digits = 0; digits < 4 && peek() >= '0' && peek() <= '9'; ++digits) {
      value = value * 10 + (peek() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  // "2", "-1:30", "02:00:00"
  std::optional<Seconds> time() {
    const bool negative = take('-');
    if (!negative) take('+');
    const auto hours = number();
    if (!hours) return std::nullopt;
    Seconds total = std::chrono::hours(*hours);
    if (take(':')) total += std::chrono::minutes(number().value_or(0));
    if (take(':')) total += Seconds(number().value_or(0));
    return negative ? -total : total;
  }

 private:
  std::string_view rest_;
};

Seconds start_of(std::chrono::year_month_day date) { return std::chrono::sys_days(date).time_since_epoch(); }

int year_of(Seconds wall) {
  const auto day = std::chrono::floor<Days>(std::chrono::sys_seconds(wall));
  return static_cast<int>(std::chrono::year_month_day(day).year());
}

}  // namespace

Zone Zone::fixed(Seconds offset) {
  Zone zone;
  zone.before_ = offset;
  return zone;
}

std::optional<Zone> Zone::without_file(std::string_view name) {
  if (name == "UTC" || name == "Z") return fixed(Seconds{0});
  if (!name.starts_with('+') && !name.starts_with('-')) return std::nullopt;
  std::string digits;
  for (const char c : name.substr(1))
    if (c >= '0' && c <= '9') digits += c;
  const bool colon = name.size() == 6 && name[3] == ':';
  if (digits.size() != 4 || (name.size() != 5 && !colon)) return std::nullopt;
  const int hours = (digits[0] - '0') * 10 + digits[1] - '0', minutes = (digits[2] - '0') * 10 + digits[3] - '0';
  if (hours > 15 || minutes > 59) return std::nullopt;
  const Seconds offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return fixed(name.front() == '-' ? -offset : offset);
}

std::variant<Zone, std::string> Zone::parse(std::string_view tzif) {
  const std::string kBroken = "is no time zone file (TZif)";
  auto header = header_at(tzif, 0);
  if (!header) return kBroken;
  std::size_t at = kHeader, of_time = 4;
  if (tzif[4] >= '2') {  // the second block has 64-bit times; the first is for old readers
    at += header->size(4);
    header = header_at(tzif, at);
    if (!header) return kBroken;
    at += kHeader;
    of_time = 8;
  }
  if (header->types == 0 || tzif.size() < at + header->size(of_time)) return kBroken;
  const std::size_t kinds = at + header->times * of_time, types = kinds + header->times;
  const auto offset_of = [&](std::size_t type) { return Seconds(number_at(tzif, types + type * 6, 4)); };
  Zone zone;
  zone.before_ = offset_of(0);
  for (std::size_t i = 0; i < header->times; ++i) {
    const auto type = static_cast<unsigned char>(tzif[kinds + i]);
    if (type >= header->types) return kBroken;
    zone.transitions_.push_back({Seconds(number_at(tzif, at + i * of_time, of_time)), offset_of(type)});
  }
  auto footer = of_time == 8 ? tzif.substr(at + header->size(8)) : std::string_view();
  if (footer.size() > 2 && footer.front() == '\n' && footer.back() == '\n')
    zone.rule_ = parse_rule(footer.substr(1, footer.size() - 2));
  return zone;
}

// "CET-1CEST,M3.5.0,M10.5.0/3": west of Greenwich is positive there.
std::optional<Zone::Rule> Zone::parse_rule(std::string_view written) {
  Text text(written);
  Rule rule;
  if (!text.name()) return std::nullopt;
  const auto standard = text.time();
  if (!standard) return std::nullopt;
  rule.standard = -*standard;
  if (text.done()) return rule;
  if (!text.name()) return std::nullopt;
  rule.summer = rule.standard + std::chrono::hours(1);
  if (text.peek() != ',') {
    const auto summer = text.time();
    if (!summer) return std::nullopt;
    rule.summer = -*summer;
  }
  for (Change* change : {&rule.begin, &rule.end}) {
    if (!text.take(',')) return std::nullopt;
    if (text.take('M')) {
      const auto month = text.number();
      const auto week = text.take('.') ? text.number() : std::nullopt;
      const auto day = text.take('.') ? text.number() : std::nullopt;
      if (!month || !week || !day || *month < 1 || *month > 12 || *day > 6) return std::nullopt;
      *change = {Change::Kind::Month, *month, *week, *day, Seconds{7200}};
    } else {
      const auto kind = text.take('J') ? Change::Kind::Julian : Change::Kind::Day;
      const auto day = text.number();
      if (!day) return std::nullopt;
      *change = {kind, 0, 0, *day, Seconds{7200}};
    }
    if (text.take('/')) {
      const auto time = text.time();
      if (!time) return std::nullopt;
      change->time = *time;
    }
  }
  return text.done() ? std::optional(rule) : std::nullopt;
}

Seconds Zone::Change::in(int year) const {
  using namespace std::chrono;
  const std::chrono::year y{year};
  if (kind == Kind::Month) {
    const weekday on{static_cast<unsigned>(day)};
    const auto m = std::chrono::month{static_cast<unsigned>(month)};
    const sys_days date = week == 5 ? sys_days(y / m / on[last]) : sys_days(y / m / on[static_cast<unsigned>(week)]);
    return Seconds(date.time_since_epoch()) + time;
  }
  // "J60" is always the 1st of March; "59" counts from 0 with the leap day.
  const int leap = kind == Kind::Julian && y.is_leap() && day >= 60 ? 1 : 0;
  const int days_in = kind == Kind::Julian ? day - 1 + leap : day;
  return start_of(y / January / 1) + Days(days_in) + time;
}

Seconds Zone::by_rule(Seconds utc) const {
  if (!rule_->summer) return rule_->standard;
  const int year = year_of(utc + rule_->standard);
  const Seconds begin = rule_->begin.in(year)-rule_->standard, end = rule_->end.in(year) - *rule_->summer;
  const bool summer = begin < end ? utc >= begin && utc < end : utc >= begin || utc < end;
  return summer ? *rule_->summer : rule_->standard;
}

Seconds Zone::offset_at(Seconds utc) const {
  if (rule_ && (transitions_.empty() || utc >= transitions_.back().at)) return by_rule(utc);
  const auto after = std::upper_bound(transitions_.begin(), transitions_.end(), utc,
                                      [](Seconds moment, const Transition& t) { return moment < t.at; });
  return after == transitions_.begin() ? before_ : std::prev(after)->offset;
}

Seconds Zone::to_utc(Seconds wall) const {
  const Seconds earlier = offset_at(wall - Days(1)), later = offset_at(wall + Days(1));
  if (offset_at(wall - earlier) == earlier) return wall - earlier;
  if (offset_at(wall - later) == later) return wall - later;
  return wall - earlier;
}

}  // namespace policies::flows
