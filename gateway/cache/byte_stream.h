// Little-endian integers and sized texts, out and in. The reader never reads past its end and never believes a size
// that the bytes left cannot hold; after the first failure everything it yields is empty and ok() is false.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace gateway::cache {

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  template <typename Integer>
  void integer(Integer value) {
    auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
    for (std::size_t i = 0; i < sizeof(Integer); ++i)
      out_ += static_cast<char>(static_cast<std::uint64_t>(bits) >> (8 * i) & 0xff);
  }
  void text(std::string_view value) {
    integer(static_cast<std::uint32_t>(value.size()));
    out_ += value;
  }

 private:
  std::string& out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view data) : data_(data) {}

  template <typename Integer>
  Integer integer() {
    const std::string_view bytes = take(sizeof(Integer));
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return static_cast<Integer>(bits);
  }
  std::string_view text() { return take(integer<std::uint32_t>()); }
  // How many items follow; each takes at least `item_bytes`, so that a made-up count reserves nothing.
  std::uint32_t count(std::size_t item_bytes) {
    const auto items = integer<std::uint32_t>();
    if (items > data_.size() / item_bytes) fail();
    return ok_ ? items : 0;
  }
  std::string_view rest() const { return data_; }
  bool ok() const { return ok_; }

 private:
  std::string_view take(std::size_t size) {
    if (size > data_.size()) fail();
    if (!ok_) return {};
    const std::string_view taken = data_.substr(0, size);
    data_.remove_prefix(size);
    return taken;
  }
  void fail() {
    ok_ = false;
    data_ = {};
  }

  std::string_view data_;
  bool ok_ = true;
};

}  // namespace gateway::cache
