#include "policies/json_slices.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <string>

#include "policies/json_strings.h"

namespace policies {

namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view without(std::string_view text, std::string_view leading) {
  text.remove_prefix(std::min(text.find_first_not_of(leading), text.size()));
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

// When RapidJSON reports a name or a scalar, the stream stands behind it; for a bracket it stands before it. So a value
// begins where the token before it ended.
class Children : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Children> {
 public:
  using Found = std::function<void(std::string_view, std::string_view)>;
  Children(std::string_view json, const rapidjson::MemoryStream& stream, const Found& found)
      : json_(json), stream_(stream), found_(found) {}

  bool Default() {
    if (depth_ == 1) tell(last_, stream_.Tell());
    return moved(0);
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (depth_ == 1) name_.assign(text, size);
    return moved(0);
  }
  bool StartObject() { return open(); }
  bool StartArray() { return open(); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }
  bool container() const { return container_; }

 private:
  bool open() {
    if (++depth_ > kJsonDepth) return false;
    container_ = true;
    if (depth_ == 2) begin_ = last_;
    return moved(1);
  }
  bool close() {
    if (--depth_ == 1) tell(begin_, stream_.Tell() + 1);
    return moved(1);
  }
  void tell(std::size_t begin, std::size_t end) {
    found_(name_, without(json_.substr(begin, end - begin), " \t\r\n:,"));
    name_.clear();
  }
  bool moved(std::size_t bracket) {
    last_ = stream_.Tell() + bracket;
    return true;
  }

  std::string_view json_;
  const rapidjson::MemoryStream& stream_;
  const Found& found_;
  std::size_t depth_ = 0, last_ = 0, begin_ = 0;
  std::string name_;
  bool container_ = false;
};

}  // namespace

bool json_children(std::string_view json, const Children::Found& found) {
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  json = without_mark(json);
  rapidjson::MemoryStream stream(json.data(), json.size());
  rapidjson::Reader reader;
  Children children(json, stream, found);
  return !reader.Parse<kFlags>(stream, children).IsError() && children.container();
}

std::optional<std::string_view> json_member(std::string_view json, std::string_view name) {
  json = without_mark(json);
  std::optional<std::string_view> value;
  const bool whole = json_children(json, [&](std::string_view each, std::string_view slice) {
    if (each == name && !value) value = slice;
  });
  if (!whole || json.find('{') != json.find_first_not_of(kSpace)) return std::nullopt;
  return value;
}

}  // namespace policies
