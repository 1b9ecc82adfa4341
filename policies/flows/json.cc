#include "policies/flows/json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

namespace policies::flows {

namespace {

constexpr std::size_t kDepth = 64;
constexpr unsigned kUntrusted =
    rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
constexpr unsigned kOwn = kUntrusted | rapidjson::kParseCommentsFlag | rapidjson::kParseTrailingCommasFlag;

// Counts lines only as far as the reader has come, so that a long text is walked once.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}
  std::uint32_t at(std::size_t offset) {
    for (offset = std::min(offset, text_.size()); seen_ < offset; ++seen_) line_ += text_[seen_] == '\n' ? 1 : 0;
    return line_;
  }

 private:
  std::string_view text_;
  std::size_t seen_ = 0;
  std::uint32_t line_ = 1;
};

class Builder {
 public:
  Builder(const rapidjson::MemoryStream& stream, std::string_view text, bool lenient)
      : stream_(stream), lines_(text), lenient_(lenient) {}

  bool Null() { return add(Json()); }
  bool Bool(bool on) { return add(Json(on)); }
  bool Int(int) { return false; }  // kParseNumbersAsStringsFlag: numbers come as RawNumber
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
  bool RawNumber(const char* s, rapidjson::SizeType n, bool) { return add(Json(Number{{s, n}})); }
  bool String(const char* s, rapidjson::SizeType n, bool) { return add(Json(std::string(s, n))); }
  bool StartObject() { return open(Json(Object())); }
  bool StartArray() { return open(Json(Array())); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }
  bool Key(const char* s, rapidjson::SizeType n, bool) {
    name_.assign(s, n);
    auto& members = std::get<Object>(open_.back()->value);
    const auto same = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.first == name_; });
    if (same != members.end()) {
      if (!lenient_) return fail("'" + name_ + "' is given twice");
      members.erase(same);
    }
    return true;
  }

  Json root;
  std::string failure;
  std::uint32_t line() { return lines_.at(stream_.Tell()); }

 private:
  bool fail(std::string what) {
    failure = std::move(what);
    return false;
  }
  Json* put(Json value) {
    value.line = line();
    if (open_.empty()) return root = std::move(value), &root;
    if (auto* items = std::get_if<Array>(&open_.back()->value)) return &items->emplace_back(std::move(value));
    auto& members = std::get<Object>(open_.back()->value);
    return &members.emplace_back(std::move(name_), std::move(value)).second;
  }
  bool add(Json value) { return put(std::move(value)), true; }
  bool open(Json value) {
    if (open_.size() == kDepth) return fail("nested deeper than 64 levels");
    open_.push_back(put(std::move(value)));  // the parents do not move: they grow only after this one is closed
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  const rapidjson::MemoryStream& stream_;
  Lines lines_;
  bool lenient_;
  std::string name_;
  std::vector<Json*> open_;
};

template <unsigned kFlags>
std::variant<Json, JsonProblem> parse(std::string_view text, bool lenient) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  Builder builder(stream, text, lenient);
  if (reader.Parse<kFlags>(stream, builder)) return std::move(builder.root);
  if (!builder.failure.empty()) return JsonProblem{builder.line(), builder.failure};
  return JsonProblem{Lines(text).at(reader.GetErrorOffset()),
                     std::string("not JSON: ") + rapidjson::GetParseError_En(reader.GetParseErrorCode())};
}

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

rapidjson::SizeType size_of(const std::string& text) { return static_cast<rapidjson::SizeType>(text.size()); }

// Depth is bounded by parse_json() and by the flow's own nesting.
void write(Writer& writer, const Json& json) {
  if (const auto* on = json.as<bool>()) {
    writer.Bool(*on);
  } else if (const auto* number = json.as<Number>()) {
    writer.RawValue(number->text.data(), number->text.size(), rapidjson::kNumberType);
  } else if (const auto* text = json.as<std::string>()) {
    writer.String(text->data(), size_of(*text));
  } else if (const auto* items = json.as<Array>()) {
    writer.StartArray();
    for (const auto& item : *items) write(writer, item);
    writer.EndArray();
  } else if (const auto* members = json.as<Object>()) {
    writer.StartObject();
    for (const auto& [name, member] : *members) {
      writer.Key(name.data(), size_of(name));
      write(writer, member);
    }
    writer.EndObject();
  } else {
    writer.Null();
  }
}

}  // namespace

const Json* Json::find(std::string_view name) const {
  const auto* members = as<Object>();
  if (members == nullptr) return nullptr;
  const auto found = std::find_if(members->begin(), members->end(), [&](const Member& m) { return m.first == name; });
  return found == members->end() ? nullptr : &found->second;
}

bool Json::is_empty() const {
  if (const auto* text = as<std::string>()) return text->empty();
  if (const auto* items = as<Array>()) return items->empty();
  if (const auto* members = as<Object>()) return members->empty();
  return is_null();
}

std::variant<Json, JsonProblem> parse_json(std::string_view text, bool lenient) {
  // The reader would take it for the text's end.
  if (const auto zero = text.find('\0'); zero != std::string_view::npos)
    return JsonProblem{Lines(text).at(zero), "not JSON: a zero byte"};
  return lenient ? parse<kUntrusted>(text, true) : parse<kOwn>(text, false);
}

std::string to_text(const Json& json) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  write(writer, json);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace policies::flows
