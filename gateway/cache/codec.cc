#include "gateway/cache/codec.h"

#include "gateway/cache/body_encoding.h"
#include "gateway/cache/byte_stream.h"
#include "gateway/cache/prepared_head.h"
#include "policies/hash128.h"

namespace gateway::cache {
namespace {

constexpr std::string_view magic = "\xC6GCE";
constexpr std::uint8_t version = 2;
constexpr std::size_t checksum_at = 5, size_at = 13, content_at = 21;
constexpr std::size_t compress_from = 1024;
constexpr std::size_t max_head_bytes = 1 << 20;  // field lines and surrogate keys; a server takes far less

enum class Encoding : std::uint8_t { Identity = 0, Zstd = 1 };

// Milliseconds that arithmetic on two of them cannot overflow: some 280,000 years.
bool plausible(std::int64_t milliseconds) { return milliseconds >= 0 && milliseconds < (std::int64_t{1} << 53); }

bool plausible(const StoredFacts& entry) {
  return entry.status >= 100 && entry.status <= 599 && plausible(entry.stored_at_ms) &&
         plausible(entry.initial_age_ms) && plausible(entry.fresh_ms) && plausible(entry.stale_while_revalidate_ms) &&
         plausible(entry.stale_if_error_ms) && plausible(entry.keep_ms);
}

// An Idempotency-Key's answer has none.
bool head_may_be_sent(std::string_view head, int status, std::size_t body_size) {
  return head.empty() || is_prepared_head(head, status, body_size);
}

std::uint64_t checksum(std::string_view bytes) { return policies::hash128(bytes).low; }

std::size_t head_bytes(const StoredEntry& entry) {
  std::size_t bytes = entry.head.size();
  for (const auto& [key, generation] : entry.generations) bytes += key.size() + 16;
  for (const auto& field : entry.fields) bytes += field.name.size() + field.value.size() + 8;
  return bytes;
}

void write_head(ByteWriter& writer, const StoredEntry& entry) {
  writer.integer(static_cast<std::uint16_t>(entry.status));
  writer.integer(entry.epoch);
  writer.integer(entry.stored_at_ms);
  writer.integer(entry.initial_age_ms);
  writer.integer(entry.fresh_ms);
  writer.integer(entry.stale_while_revalidate_ms);
  writer.integer(entry.stale_if_error_ms);
  writer.integer(entry.keep_ms);
  writer.integer(static_cast<std::uint8_t>(entry.must_revalidate ? 1 : 0));
  writer.integer(static_cast<std::uint32_t>(entry.generations.size()));
  for (const auto& [key, generation] : entry.generations) {
    writer.text(key);
    writer.integer(generation);
  }
  writer.integer(static_cast<std::uint32_t>(entry.fields.size()));
  for (const auto& field : entry.fields) {
    writer.text(field.name);
    writer.text(field.value);
  }
  writer.text(entry.head);
}

// Last, over the finished content: the checksum covers the size before it.
void write_preamble(std::string& out) {
  std::string size;
  ByteWriter(size).integer(static_cast<std::uint64_t>(out.size() - content_at));
  out.replace(size_at, size.size(), size);
  std::string preamble(magic);
  ByteWriter writer(preamble);
  writer.integer(version);
  writer.integer(checksum(std::string_view(out).substr(size_at)));
  out.replace(0, preamble.size(), preamble);
}

void read_head(ByteReader& reader, StoredView& entry) {
  entry.status = reader.integer<std::uint16_t>();
  entry.epoch = reader.integer<std::uint64_t>();
  entry.stored_at_ms = reader.integer<std::int64_t>();
  entry.initial_age_ms = reader.integer<std::int64_t>();
  entry.fresh_ms = reader.integer<std::int64_t>();
  entry.stale_while_revalidate_ms = reader.integer<std::int64_t>();
  entry.stale_if_error_ms = reader.integer<std::int64_t>();
  entry.keep_ms = reader.integer<std::int64_t>();
  entry.must_revalidate = reader.integer<std::uint8_t>() != 0;
  const auto generations = reader.count(12);
  entry.generations.reserve(generations);
  for (std::uint32_t i = 0; i < generations && reader.ok(); ++i) {
    const auto key = reader.text();
    entry.generations.emplace_back(key, reader.integer<std::uint64_t>());
  }
  const auto fields = reader.count(8);
  entry.fields.reserve(fields);
  for (std::uint32_t i = 0; i < fields && reader.ok(); ++i) {
    const auto name = reader.text();
    entry.fields.emplace_back(name, reader.text());
  }
  entry.head = reader.text();
}

// The checks in the order in which each can be trusted: magic, version, size, checksum.
std::variant<std::string_view, DecodeFailure> content_of(std::string_view value) {
  if (value.substr(0, magic.size()) != magic) return DecodeFailure::Foreign;
  if (value.size() > magic.size() && static_cast<std::uint8_t>(value[magic.size()]) != version)
    return DecodeFailure::Version;
  if (value.size() < content_at) return DecodeFailure::Truncated;
  const auto size = ByteReader(value.substr(size_at)).integer<std::uint64_t>();
  if (size > value.size() - content_at) return DecodeFailure::Truncated;
  if (ByteReader(value.substr(checksum_at)).integer<std::uint64_t>() != checksum(value.substr(size_at)))
    return DecodeFailure::Corrupted;
  if (size != value.size() - content_at) return DecodeFailure::Malformed;
  return value.substr(content_at);
}

}  // namespace

std::string_view to_string(DecodeFailure failure) {
  switch (failure) {
    case DecodeFailure::Foreign:
      return "foreign";
    case DecodeFailure::Version:
      return "version";
    case DecodeFailure::Truncated:
      return "truncated";
    case DecodeFailure::Corrupted:
      return "corrupted";
    case DecodeFailure::Malformed:
      return "malformed";
    case DecodeFailure::TooLarge:
      return "too_large";
  }
  return "malformed";
}

std::string encode(const StoredEntry& entry) {
  const std::size_t head = head_bytes(entry);
  if (!plausible(entry) || entry.body.size() > max_stored_body_bytes || head > max_head_bytes) return {};
  if (!head_may_be_sent(entry.head, entry.status, entry.body.size())) return {};
  std::optional<std::string> packed;
  if (entry.body.size() > compress_from) packed = compressed(entry.body);
  const std::string_view body = packed ? *packed : entry.body;

  std::string out(content_at, '\0');
  out.reserve(content_at + 128 + head + body.size());
  ByteWriter writer(out);
  writer.integer(static_cast<std::uint8_t>(packed ? Encoding::Zstd : Encoding::Identity));
  write_head(writer, entry);
  writer.integer(static_cast<std::uint64_t>(entry.body.size()));
  out += body;
  write_preamble(out);
  return out;
}

std::variant<StoredView, DecodeFailure> decode_view(std::string_view value) {
  const auto content = content_of(value);
  if (const auto* failure = std::get_if<DecodeFailure>(&content)) return *failure;
  ByteReader reader(std::get<std::string_view>(content));
  const auto encoding = static_cast<Encoding>(reader.integer<std::uint8_t>());
  StoredView entry;
  read_head(reader, entry);
  const auto body_size = reader.integer<std::uint64_t>();
  if (!reader.ok() || !plausible(entry)) return DecodeFailure::Malformed;
  if (body_size > max_stored_body_bytes) return DecodeFailure::TooLarge;
  if (!head_may_be_sent(entry.head, entry.status, body_size)) return DecodeFailure::Malformed;
  entry.plain_body = reader.rest();
  if (encoding == Encoding::Identity && entry.plain_body.size() == body_size) return entry;
  if (encoding == Encoding::Zstd) entry.unpacked = decompressed(entry.plain_body, body_size);
  if (!entry.unpacked) return DecodeFailure::Malformed;
  return entry;
}

std::variant<StoredEntry, DecodeFailure> decode(std::string_view value) {
  auto decoded = decode_view(value);
  if (const auto* failure = std::get_if<DecodeFailure>(&decoded)) return *failure;
  auto& view = std::get<StoredView>(decoded);
  StoredEntry entry{view, {}, std::string(view.head), {}, {}};
  entry.body = view.unpacked ? std::move(*view.unpacked) : std::string(view.plain_body);
  for (const auto& [name, value_of] : view.fields) entry.fields.add(std::string(name), std::string(value_of));
  for (const auto& [key, generation] : view.generations) entry.generations.emplace_back(key, generation);
  return entry;
}

}  // namespace gateway::cache
