// The stored form of a cache entry: what Redis keeps under a cache key. Bodies over 1 KiB are compressed by zstd where
// that makes them smaller. Any thread, no state shared; nothing throws for bad input.
//
// Version 2 (1 had CRC-32, which took longer than all else in reading a small entry), integers little-endian:
//   0  magic      C6 'G' 'C' 'E'
//   4  version    u8
//   5  checksum   u64, the lower half of hash128 (policies/hash128.h) of everything after it
//  13  size       u64, the bytes after it
//  21  encoding   u8: 0 the body as it is, 1 zstd
//  22  then, one behind the other:
//        - status u16, epoch u64
//        - stored_at_ms, initial_age_ms, fresh_ms, stale_while_revalidate_ms, stale_if_error_ms, keep_ms: i64 each
//        - must_revalidate u8
//        - count u32, and so many surrogate keys: text, generation u64
//        - count u32, and so many field lines: name text, value text
//        - head text
//        - body size before encoding u64, and the body up to the end
// A text is its size u32 and its bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/cache/stored_entry.h"

namespace gateway::cache {

constexpr std::size_t max_stored_body_bytes = 64 << 20;

// Why a value is a miss. Nothing of it is used in any of these cases.
enum class DecodeFailure : std::uint8_t {
  Foreign,    // not ours: no magic
  Version,    // ours, of another format version: a newer or older release shares this Redis
  Truncated,  // shorter than it says
  Corrupted,  // the checksum differs
  Malformed,  // intact, but not what encode() writes: sizes that do not add up, a body that is no zstd, a
              // head that is not to be sent as it is (prepared_head.h)
  TooLarge,   // a body beyond max_stored_body_bytes
};
std::string_view to_string(DecodeFailure failure);  // the metric label: "foreign", "version" …

// Empty: not to be stored, since it is larger than decode() accepts or says what no answer can (status 99, times below
// 0, a head of another size of body).
std::string encode(const StoredEntry& entry);
std::variant<StoredEntry, DecodeFailure> decode(std::string_view value);
std::variant<StoredView, DecodeFailure> decode_view(std::string_view value);  // copies nothing

}  // namespace gateway::cache
