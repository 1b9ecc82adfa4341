#include "policies/cache_key.h"

#include <algorithm>
#include <array>
#include <vector>

#include "policies/field_syntax.h"
#include "policies/percent.h"

namespace policies {

namespace {

using Pair = std::string_view;  // "name=value" as written

// A byte at a time of a name as upstream may decode it: what may be one name to it ("a[]" and "a%5B%5D", "+" as itself
// or as a space) is equal here, so that the order among its values is kept.
class DecodedBytes {
 public:
  explicit DecodedBytes(std::string_view text) : text_(text) {}
  bool done() const { return at_ == text_.size(); }
  int take() {
    const auto encoded = hex_pair(text_, at_);
    const char byte = encoded ? *encoded : text_[at_];
    at_ += encoded ? 3 : 1;
    return byte == '+' ? ' ' : static_cast<unsigned char>(byte);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::string_view name_of(Pair pair) { return pair.substr(0, pair.find('=')); }

bool before(Pair a, Pair b) {
  DecodedBytes x(name_of(a));
  DecodedBytes y(name_of(b));
  while (!x.done() && !y.done()) {
    const int left = x.take();
    const int right = y.take();
    if (left != right) return left < right;
  }
  return x.done() && !y.done();
}

template <typename Each>
void for_each_pair(std::string_view query, Each each) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    if (const Pair pair = query.substr(0, end); !pair.empty()) each(pair);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
  }
}

void append_pairs(std::string& key, const Pair* begin, const Pair* end) {
  for (const Pair* pair = begin; pair != end; ++pair) {
    if (pair != begin) key.push_back('&');
    append_normalised(key, *pair);
  }
}

// Insertion keeps equal names in order and needs no memory of its own.
void append_few(std::string& key, Pair* pairs, std::size_t count) {
  for (std::size_t i = 1; i < count; ++i)
    std::rotate(std::upper_bound(pairs, pairs + i, pairs[i], before), pairs + i, pairs + i + 1);
  append_pairs(key, pairs, pairs + count);
}

void append_query(std::string& key, std::string_view query) {
  constexpr std::size_t kFew = 32;
  std::array<Pair, kFew> few;
  std::size_t count = 0;
  for_each_pair(query, [&](Pair pair) {
    if (count < kFew) few[count] = pair;
    ++count;
  });
  if (count == 0) return;
  key.append(" ?");
  if (count <= kFew) return append_few(key, few.data(), count);
  std::vector<Pair> many;
  many.reserve(count);
  for_each_pair(query, [&](Pair pair) { many.push_back(pair); });
  std::ranges::stable_sort(many, before);
  append_pairs(key, many.data(), many.data() + many.size());
}

// "a , b" and "a,b" are one list (RFC 9110 section 5.6.1), and so is one with empty elements.
void append_list(std::string& out, std::string_view list) {
  bool first = true;
  while (!list.empty()) {
    const std::string_view element = take_element(list);
    if (element.empty()) continue;
    if (!first) out.push_back(',');
    append_word(out, element);
    first = false;
  }
}

std::vector<std::string> lower_names(std::string_view vary) {
  std::vector<std::string> names;
  while (!vary.empty()) {
    std::string name(take_element(vary));
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    if (!name.empty()) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

std::string_view to_string(Unkeyable reason) {
  switch (reason) {
    case Unkeyable::NotARead:
      return "not-a-read";
    case Unkeyable::Body:
      return "unkeyable-body";
  }
  return "unknown";
}

std::optional<Unkeyable> append_cache_key(std::string& key, const CacheKeyInputs& inputs) {
  const Operation& operation = *inputs.match.operation;
  if (operation.kind == Kind::Write) return Unkeyable::NotARead;
  // What a GET's body means is not defined (RFC 9110 section 9.3.1); it goes upstream, so it may mean something there.
  if (operation.kind != Kind::Search && !inputs.body.empty()) return Unkeyable::Body;
  const std::size_t start = key.size();
  key.append(operation.name).push_back(' ');
  append_word(key, inputs.location);
  key.push_back(' ');
  append_word(key, inputs.version);
  for (std::size_t i = 0; i < inputs.match.parameter_count; ++i) {
    key.push_back(' ');
    append_normalised(key, inputs.match.parameters[i].second);
  }
  append_query(key, inputs.query);
  if (operation.kind != Kind::Search) return std::nullopt;
  key.append(" ");
  if (append_canonical_json(key, inputs.body)) return std::nullopt;
  key.resize(start);
  return Unkeyable::Body;
}

std::optional<std::string> vary_key(std::string_view vary, FieldsView request) {
  std::string key;
  for (const auto& name : lower_names(vary)) {
    if (name == "*") return std::nullopt;
    key.append(" ");
    append_word(key, name);
    const auto value = combined_field(request, name);
    if (!value) continue;  // absent differs from empty
    key.push_back('=');
    append_list(key, *value);
  }
  return key;
}

}  // namespace policies
