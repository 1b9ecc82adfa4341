// The chunked transfer coding of a request (RFC 9112 section 7.1), strict: every line ends
// with CRLF, chunk data too. Extensions and trailers are checked for their characters and dropped. Pure; fed any number
// of bytes at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gateway::server {

class ChunkedDecoder {
 public:
  enum class Status { NeedMore, Done, Malformed, TooLarge };

  // Takes bytes off the front of `in` and appends the decoded ones to `out`, which never grows above `limit`.
  Status decode(std::string_view& in, std::string& out, std::size_t limit);

 private:
  enum class State {
    SizeStart,
    Size,
    AfterSize,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    LineStart,
    Trailer,
    TrailerLf,
    EndLf
  };

  bool take_size_char(char c);
  bool take_line_char(char c);
  bool step(char c);  // one byte of framing

  State state_ = State::SizeStart;
  std::size_t remaining_ = 0;  // of the current chunk's data
  std::size_t digits_ = 0;
  std::size_t extras_ = 0;  // bytes of extensions and trailers so far
  bool last_ = false;
};

}  // namespace gateway::server
