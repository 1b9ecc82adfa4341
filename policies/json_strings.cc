#include "policies/json_strings.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <vector>

namespace policies {

namespace {

constexpr std::size_t kOffPath = static_cast<std::size_t>(-1);

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> names;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    names.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

// Follows how many names of the path lead to the value that comes next.
class Follower : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Follower> {
 public:
  Follower(std::string_view path, const std::function<void(std::string_view)>& found)
      : names_(split(path)), found_(found) {}
  bool object() const { return object_; }

  bool String(const char* text, rapidjson::SizeType size, bool) { return scalar({text, size}); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) { return scalar({text, size}); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    const std::size_t matched = open_.back();
    const bool on_path = matched < names_.size() && names_[matched] == std::string_view(text, size);
    next_ = on_path ? matched + 1 : kOffPath;
    return true;
  }
  bool StartObject() {
    object_ |= next_ == names_.size();
    return open();
  }
  bool StartArray() { return open(); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }

 private:
  bool scalar(std::string_view text) {
    if (next_ == names_.size()) found_(text);
    return true;
  }
  // Inside an object `next_` is set by each Key; inside an array every value stands where the array does.
  bool open() {
    open_.push_back(next_);
    return open_.size() <= kJsonDepth;
  }
  bool close() {
    open_.pop_back();
    if (!open_.empty()) next_ = open_.back();
    return true;
  }

  std::vector<std::string_view> names_;
  const std::function<void(std::string_view)>& found_;
  std::vector<std::size_t> open_;
  std::size_t next_ = 0;
  bool object_ = false;
};

}  // namespace

std::string_view without_mark(std::string_view json) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  return json.substr(json.starts_with(kMark) ? kMark.size() : 0);
}

JsonText json_strings(std::string_view json, std::string_view path, const std::function<void(std::string_view)>& found,
                      bool* object) {
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  json = without_mark(json);
  rapidjson::MemoryStream stream(json.data(), json.size());
  rapidjson::Reader reader;
  Follower follower(path, found);
  const bool good = !reader.Parse<kFlags>(stream, follower).IsError();
  if (object != nullptr) *object = follower.object();
  // A zero byte ends RapidJSON's reading; for everybody else it is an error.
  return good && stream.Tell() == json.size() ? JsonText::Whole : JsonText::Broken;
}

}  // namespace policies
