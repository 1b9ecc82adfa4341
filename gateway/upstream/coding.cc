#include "gateway/upstream/coding.h"

#include <zlib.h>

#include <algorithm>
#include <memory>

#include "gateway/upstream/client.h"

namespace gateway::upstream {

namespace {

struct End {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

constexpr int kGzipOrZlib = 32 + MAX_WBITS;
constexpr int kBareDeflate = -MAX_WBITS;  // what some servers mean by "deflate" (RFC 9110 section 8.4.1.2)

std::optional<std::string> inflated(std::string_view body, int window, std::size_t most) {
  z_stream stream{};
  if (inflateInit2(&stream, window) != Z_OK) return std::nullopt;
  const std::unique_ptr<z_stream, End> end(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(body.size());
  std::string out;
  for (;;) {
    const auto before = out.size();
    if (before > most) return std::nullopt;
    out.resize(before + std::clamp<std::size_t>(4 * body.size(), 1'024, 1 << 20));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (result == Z_STREAM_END && stream.avail_in == 0 && out.size() <= most) return out;
    if (result != Z_OK || out.size() == before) return std::nullopt;
  }
}

}  // namespace

std::optional<std::string> decoded(const policies::Fields& fields, std::string_view body) {
  const auto coding = policies::combined_field(fields.view(), "Content-Encoding");
  if (!coding || body.empty()) return std::nullopt;
  const auto most = Options{}.answer_bytes;
  const bool deflate = policies::same_name(*coding, "deflate");
  if (!deflate && !policies::same_name(*coding, "gzip") && !policies::same_name(*coding, "x-gzip")) return std::nullopt;
  auto plain = inflated(body, kGzipOrZlib, most);
  return plain || !deflate ? plain : inflated(body, kBareDeflate, most);
}

}  // namespace gateway::upstream
