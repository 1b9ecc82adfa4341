// Any bytes, cut anywhere: the request reader must see the same requests as from the bytes in one piece, and hold its
// limits.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gateway/server/request_reader.h"
#include "gateway/server/syntax.h"

namespace {

using gateway::server::Head;
using gateway::server::Limits;
using gateway::server::RequestReader;

void require(bool condition) {
  if (!condition) std::abort();
}

const Limits kLimits{.header_bytes = 512, .target_bytes = 64, .body_bytes = 128};

void record(const Head& head, const RequestReader& reader, std::string& seen) {
  require(reader.body().size() <= kLimits.body_bytes);
  require(head.method.size() + head.path.size() + head.query.size() <= kLimits.header_bytes);
  seen.append(head.method).append(" ").append(head.target).append(" ").append(head.host).append("\n");
  for (const auto& field : head.fields) {
    require(gateway::server::is_token(field.name) && gateway::server::is_field_value(field.value));
    seen.append(field.name).append(":").append(field.value).append("\n");
  }
  seen.append(reader.body()).append(head.keep_alive ? "+\n" : "-\n");
}

// What a connection does with its bytes, `step` at a time.
std::string read_all(std::string_view bytes, std::size_t step) {
  RequestReader reader(kLimits);
  Head head;
  std::string seen;
  std::string input;
  while (!bytes.empty()) {
    input.append(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
    std::size_t used = 0;
    while (used < input.size()) {
      const auto progress = reader.read(std::string_view(input).substr(used), head);
      used += progress.consumed;
      require(used <= input.size());
      if (progress.status == RequestReader::Status::Refused) return seen + std::string(reader.refusal().reason);
      if (progress.status == RequestReader::Status::NeedMore) break;
      record(head, reader, seen);
      reader.reset();
    }
    input.erase(0, used);
    require(input.size() <= kLimits.header_bytes + step);
  }
  return seen;
}

// A block too long in two ways is refused for the one that shows first, which depends on where it is cut.
std::string without_reason(std::string seen) { return seen.substr(0, seen.rfind('\n') + 1); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = read_all(bytes, bytes.size() + 1);
  require(without_reason(read_all(bytes, 1)) == without_reason(whole));
  require(without_reason(read_all(bytes, std::size_t{data[0]} + 1)) == without_reason(whole));
  return 0;
}
