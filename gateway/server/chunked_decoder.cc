#include "gateway/server/chunked_decoder.h"

#include <algorithm>

#include "gateway/server/syntax.h"
#include "policies/percent.h"

namespace gateway::server {

namespace {

constexpr std::size_t kMostDigits = 15;         // of a chunk size; keeps it far from overflow
constexpr std::size_t kMostExtras = 32 * 1024;  // extensions and trailers carry nothing we use

}  // namespace

bool ChunkedDecoder::take_size_char(char c) {
  const int digit = policies::hex_digit(c);
  if (digit >= 0) {
    if (state_ == State::AfterSize || ++digits_ > kMostDigits) return false;
    remaining_ = remaining_ * 16 + static_cast<std::size_t>(digit);
    state_ = State::Size;
    return true;
  }
  if (digits_ == 0) return false;
  if (c == '\r')
    state_ = State::SizeLf;
  else if (c == ';')
    state_ = State::Extension;
  else if (is_blank(c))
    state_ = State::AfterSize;
  else
    return false;
  return true;
}

// A character of an extension or of a trailer line.
bool ChunkedDecoder::take_line_char(char c) {
  if (++extras_ > kMostExtras) return false;
  if (c == '\r') {
    state_ = state_ == State::Extension ? State::SizeLf : State::TrailerLf;
    return true;
  }
  return is_field_value({&c, 1});
}

bool ChunkedDecoder::step(char c) {
  switch (state_) {
    case State::SizeStart:
      remaining_ = digits_ = 0;
      [[fallthrough]];
    case State::Size:
    case State::AfterSize:
      return take_size_char(c);
    case State::Extension:
    case State::Trailer:
      return take_line_char(c);
    case State::SizeLf:
      last_ = remaining_ == 0;
      state_ = last_ ? State::LineStart : State::Data;
      return c == '\n';
    case State::DataCr:
      state_ = State::DataLf;
      return c == '\r';
    case State::DataLf:
      state_ = State::SizeStart;
      return c == '\n';
    case State::LineStart:
      state_ = c == '\r' ? State::EndLf : State::Trailer;
      return c == '\r' || is_token_char(c);
    case State::TrailerLf:
      state_ = State::LineStart;
      return c == '\n';
    case State::EndLf:
      return c == '\n';
    case State::Data:
      break;
  }
  return false;
}

ChunkedDecoder::Status ChunkedDecoder::decode(std::string_view& in, std::string& out, std::size_t limit) {
  while (!in.empty()) {
    if (state_ == State::Data) {
      const auto size = std::min(remaining_, in.size());
      out.append(in.substr(0, size));
      in.remove_prefix(size);
      remaining_ -= size;
      if (remaining_ == 0) state_ = State::DataCr;
      continue;
    }
    const bool at_end = state_ == State::EndLf;
    if (!step(in.front())) return Status::Malformed;
    in.remove_prefix(1);
    if (at_end) return Status::Done;
    if (remaining_ > limit - out.size()) return Status::TooLarge;
  }
  return Status::NeedMore;
}

}  // namespace gateway::server
