#include "gateway/config/json_text.h"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

namespace gateway::config {

namespace {

constexpr std::size_t kDepth = 64;
constexpr unsigned kFlags = rapidjson::kParseCommentsFlag | rapidjson::kParseIterativeFlag |
                            rapidjson::kParseTrailingCommasFlag | rapidjson::kParseValidateEncodingFlag;

std::string position(const std::string& name, const std::string& text, std::size_t offset) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size()));
  const auto line = std::count(text.begin(), end, '\n') + 1;
  const std::size_t before = static_cast<std::size_t>(end - text.begin());
  const std::size_t newline = before == 0 ? std::string::npos : text.rfind('\n', before - 1);
  const std::size_t column = before - (newline == std::string::npos ? 0 : newline + 1) + 1;
  return name + ":" + std::to_string(line) + ":" + std::to_string(column);
}

// Passes the reader's events on to the document and notes each member's path and place.
class Watcher {
 public:
  Watcher(rapidjson::Document& document, rapidjson::StringStream& stream, const std::string& name,
          const std::string& text)
      : document_(document), stream_(stream), name_(name), text_(text) {}

  bool Null() { return value() && document_.Null(); }
  bool Bool(bool b) { return value() && document_.Bool(b); }
  bool Int(int i) { return value() && document_.Int(i); }
  bool Uint(unsigned i) { return value() && document_.Uint(i); }
  bool Int64(std::int64_t i) { return value() && document_.Int64(i); }
  bool Uint64(std::uint64_t i) { return value() && document_.Uint64(i); }
  bool Double(double d) { return value() && document_.Double(d); }
  bool RawNumber(const char* s, rapidjson::SizeType n, bool copy) { return value() && document_.RawNumber(s, n, copy); }
  bool String(const char* s, rapidjson::SizeType n, bool copy) { return value() && document_.String(s, n, copy); }
  bool StartObject() { return value(1) && open(false) && document_.StartObject(); }
  bool StartArray() { return value(1) && open(true) && document_.StartArray(); }
  bool EndObject(rapidjson::SizeType n) { return frames_.pop_back(), document_.EndObject(n); }
  bool EndArray(rapidjson::SizeType n) { return frames_.pop_back(), document_.EndArray(n); }

  // While the reader calls for a name or a text, the stream still stands at its opening quote (the reader works on a
  // copy).
  bool Key(const char* s, rapidjson::SizeType n, bool copy) {
    Frame& frame = frames_.back();
    frame.member = (frame.path.empty() ? "" : frame.path + ".") + std::string(s, n);
    const bool first = positions->emplace(frame.member, position(name_, text_, stream_.Tell())).second;
    if (!first) failure = position(name_, text_, stream_.Tell()) + ": " + frame.member + " is given twice";
    return first && document_.Key(s, n, copy);
  }

  std::shared_ptr<Positions> positions = std::make_shared<Positions>();
  std::string failure;

 private:
  struct Frame {
    std::string path;
    bool array = false;
    std::size_t next = 0;
    std::string member;
  };

  // A new value: in an array it is the next element. `taken`: characters of it that were read already.
  bool value(std::size_t taken = 0) {
    if (frames_.empty() || !frames_.back().array) return true;
    Frame& frame = frames_.back();
    frame.member = frame.path + "[" + std::to_string(frame.next++) + "]";
    positions->emplace(frame.member, position(name_, text_, stream_.Tell() - taken));
    return true;
  }

  bool open(bool array) {
    if (frames_.size() == kDepth) failure = position(name_, text_, stream_.Tell()) + ": nested deeper than 64 levels";
    if (!failure.empty()) return false;
    frames_.push_back({frames_.empty() ? "" : frames_.back().member, array, 0, {}});
    return true;
  }

  rapidjson::Document& document_;
  rapidjson::StringStream& stream_;
  const std::string& name_;
  const std::string& text_;
  std::vector<Frame> frames_;
};

}  // namespace

JsonText parse_json_text(const std::string& name, const std::string& text) {
  if (text.find('\0') != std::string::npos)
    throw std::invalid_argument(position(name, text, text.find('\0')) + ": not JSON: a zero byte");
  JsonText parsed;
  parsed.document = std::make_shared<rapidjson::Document>();
  rapidjson::StringStream stream(text.c_str());
  rapidjson::Reader reader;
  Watcher watcher(*parsed.document, stream, name, text);
  auto generate = [&](rapidjson::Document&) { return static_cast<bool>(reader.Parse<kFlags>(stream, watcher)); };
  parsed.document->Populate(generate);
  if (!watcher.failure.empty()) throw std::invalid_argument(watcher.failure);
  if (reader.HasParseError())
    throw std::invalid_argument(position(name, text, reader.GetErrorOffset()) +
                                ": not JSON: " + rapidjson::GetParseError_En(reader.GetParseErrorCode()));
  parsed.positions = watcher.positions;
  return parsed;
}

}  // namespace gateway::config
