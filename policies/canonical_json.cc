// One text for all JSON texts that mean the same to upstream: what a search's cache key is made of (cache_key.h).
// Written in one pass over the tokens: each value is appended to the output as it is read, and when an object ends its
// members are put in order where they stand.
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "policies/cache_key.h"
#include "policies/json_strings.h"

namespace policies {

namespace {

struct Member {
  std::size_t begin, value, end;  // offsets in the output: `"name":`, its value, the end of it
};

struct Open {
  bool object;
  std::size_t begin;    // offset of the bracket
  std::size_t members;  // how many members of outer objects lie below its own
  std::size_t values = 0;
};

class Canonical : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Canonical> {
 public:
  explicit Canonical(std::string& out) : out_(out) {}

  bool Null() { return literal("null"); }
  bool Bool(bool value) { return literal(value ? "true" : "false"); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) { return literal({text, size}); }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    begin_value();
    quoted({text, size});
    end_value();
    return true;
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    const std::size_t begin = out_.size();
    quoted({text, size});
    out_.push_back(':');
    members_.push_back({begin, out_.size(), 0});
    return true;
  }
  bool StartObject() { return open(true); }
  bool StartArray() { return open(false); }
  bool EndArray(rapidjson::SizeType) {
    out_.push_back(']');
    open_.pop_back();
    end_value();
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    const Open object = open_.back();
    if (!sort_members(object)) return false;
    out_.push_back('}');
    members_.resize(object.members);
    open_.pop_back();
    end_value();
    return true;
  }

 private:
  bool literal(std::string_view text) {
    begin_value();
    out_.append(text);
    end_value();
    return true;
  }
  // Elements of an array are parted by commas as they come, members of an object when they are in order.
  void begin_value() {
    if (!open_.empty() && !open_.back().object && open_.back().values++ > 0) out_.push_back(',');
  }
  void end_value() {
    if (!open_.empty() && open_.back().object) members_.back().end = out_.size();
  }
  bool open(bool object) {
    begin_value();
    open_.push_back({object, out_.size(), members_.size()});
    out_.push_back(object ? '{' : '[');
    return open_.size() <= kJsonDepth;
  }
  void quoted(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out_.push_back('"');
    for (const char c : text) {
      if (c == '"' || c == '\\')
        out_.append({'\\', c});
      else if (static_cast<unsigned char>(c) >= 0x20)
        out_.push_back(c);
      else
        out_.append("\\u00").append(
            {kDigits[static_cast<std::size_t>(c) >> 4], kDigits[static_cast<std::size_t>(c) & 15]});
    }
    out_.push_back('"');
  }
  std::string_view name(const Member& member) const {
    return std::string_view(out_).substr(member.begin, member.value - member.begin);
  }
  // False where a name is there twice: which of them counts is upstream's business.
  bool sort_members(const Open& object) {
    const auto first = members_.begin() + static_cast<std::ptrdiff_t>(object.members);
    const auto by_name = [this](const Member& a, const Member& b) { return name(a) < name(b); };
    std::sort(first, members_.end(), by_name);
    const auto same = [this](const Member& a, const Member& b) { return name(a) == name(b); };
    if (std::adjacent_find(first, members_.end(), same) != members_.end()) return false;
    sorted_.clear();
    for (auto member = first; member != members_.end(); ++member) {
      if (member != first) sorted_.push_back(',');
      sorted_.append(out_, member->begin, member->end - member->begin);
    }
    out_.replace(object.begin + 1, std::string::npos, sorted_);
    return true;
  }

  std::string& out_;
  std::vector<Open> open_;
  std::vector<Member> members_;
  std::string sorted_;
};

}  // namespace

bool append_canonical_json(std::string& out, std::string_view json) {
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag;
  if (json.size() > kLargestKeyedBody) return false;
  const std::size_t start = out.size();
  rapidjson::MemoryStream stream(json.data(), json.size());
  rapidjson::Reader reader;
  Canonical canonical(out);
  const bool good = !reader.Parse<kFlags>(stream, canonical).IsError() && stream.Tell() == json.size();
  if (!good) out.resize(start);
  return good;
}

}  // namespace policies
