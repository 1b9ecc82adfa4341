#include "policies/priority.h"

#include <algorithm>

#include "policies/cache_control.h"
#include "policies/field_syntax.h"

namespace policies {

namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alpha(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_in(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }
bool is_key(char c) { return is_lower(c) || is_digit(c) || is_in(c, "_-.*"); }
bool is_token(char c) { return is_alpha(c) || is_digit(c) || is_in(c, "!#$%&'*+-.^_`|~:/"); }
bool is_base64(char c) { return is_alpha(c) || is_digit(c) || is_in(c, "+/="); }

// Reads a structured dictionary (RFC 8941 section 4.2.2) from left to right, keeping of each value only what Priority
// needs.
class Dictionary {
 public:
  explicit Dictionary(std::string_view text) : text_(text) {}

  // False on an error; `priority` is then worth nothing.
  bool read(Priority& priority) {
    skip(" ");
    while (!text_.empty()) {
      if (!member(priority)) return false;
      skip(" \t");
      if (text_.empty()) return true;
      if (!take(',')) return false;
      skip(" \t");
      if (text_.empty()) return false;  // a comma at the end
    }
    return true;
  }

 private:
  bool member(Priority& priority) {
    const std::string_view name = key();
    if (name.empty()) return false;
    std::string_view value = "?1";
    if (take('=') && !(peek() == '(' ? inner_list(value) : bare_item(value))) return false;
    if (!parameters()) return false;
    if (name == "u" && value.size() == 1 && value[0] >= '0' && value[0] <= '7') priority.urgency = value[0] - '0';
    if (name == "i" && (value == "?1" || value == "?0")) priority.incremental = value == "?1";
    return true;
  }

  bool parameters() {
    std::string_view ignored;
    while (take(';')) {
      skip(" ");
      if (key().empty()) return false;
      if (take('=') && !bare_item(ignored)) return false;
    }
    return true;
  }

  bool inner_list(std::string_view& value) {
    value = {};
    take('(');
    while (true) {
      const bool apart = skip(" ");
      if (take(')')) return true;
      if (!apart && !value.empty()) return false;
      if (!bare_item(value) || !parameters()) return false;
      value = "(";  // whatever is inside, it is neither a number nor a boolean
    }
  }

  bool bare_item(std::string_view& value) {
    const std::string_view before = text_;
    if (!item_of_any_type()) return false;
    value = before.substr(0, before.size() - text_.size());
    return true;
  }

  bool item_of_any_type() {
    const char first = peek();
    if (first == '-' || is_digit(first)) return number();
    if (first == '"') return string();
    if (first == ':') return take(':') && (take_while(is_base64), take(':'));
    if (first == '?') return take('?') && (take('0') || take('1'));
    return (is_alpha(first) || first == '*') && take_while(is_token) > 0;
  }

  bool number() {
    take('-');
    const std::size_t whole = take_while(is_digit);
    if (whole == 0 || whole > 15) return false;
    if (!take('.')) return true;
    const std::size_t fraction = take_while(is_digit);
    return whole <= 12 && fraction >= 1 && fraction <= 3;
  }

  bool string() {
    take('"');
    while (!text_.empty()) {
      const char c = text_.front();
      text_.remove_prefix(1);
      if (c == '"') return true;
      if (c < ' ' || c > '~') return false;
      if (c == '\\' && !take('"') && !take('\\')) return false;
    }
    return false;
  }

  std::string_view key() {
    const std::string_view before = text_;
    if (!is_lower(peek()) && peek() != '*') return {};
    return before.substr(0, take_while(is_key));
  }

  char peek() const { return text_.empty() ? '\0' : text_.front(); }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::size_t take_while(bool (*wanted)(char)) {
    const auto end = std::find_if_not(text_.begin(), text_.end(), wanted);
    const auto count = static_cast<std::size_t>(end - text_.begin());
    text_.remove_prefix(count);
    return count;
  }
  bool skip(std::string_view spaces) {
    const std::size_t count = std::min(text_.find_first_not_of(spaces), text_.size());
    text_.remove_prefix(count);
    return count > 0;
  }

  std::string_view text_;
};

// `preference`: one element of the list, its parameters after ';' included.
std::optional<std::string_view> wait_value(std::string_view preference) {
  preference = preference.substr(0, preference.find(';'));
  const std::size_t equals = preference.find('=');
  if (equals == std::string_view::npos || !same_name(trimmed(preference.substr(0, equals)), "wait"))
    return std::nullopt;
  return unquoted(trimmed(preference.substr(equals + 1)));
}

}  // namespace

Priority priority_of(FieldsView fields) {
  Priority priority;
  for (const auto& field : fields) {
    if (!same_name(field.name, "Priority")) continue;
    if (!Dictionary(field.value).read(priority)) return {};
  }
  return priority;
}

std::optional<std::chrono::seconds> preferred_wait(FieldsView fields) {
  for (const auto& field : fields) {
    if (!same_name(field.name, "Prefer")) continue;
    for (std::string_view rest = field.value; !rest.empty();)
      if (const auto value = wait_value(take_element(rest))) return delta_seconds(*value);
  }
  return std::nullopt;
}

}  // namespace policies
