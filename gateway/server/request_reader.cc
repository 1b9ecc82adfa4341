#include "gateway/server/request_reader.h"

#include <algorithm>
#include <utility>

#include "gateway/server/syntax.h"

namespace gateway::server {

namespace {

constexpr std::size_t kLineRoom = 256;  // method, spaces and version beside the longest target

// RFC 9112 section 2.2: empty lines before a request line are skipped.
std::size_t empty_lines(std::string_view window) {
  std::size_t size = 0;
  while (window.substr(size).starts_with("\r\n")) size += 2;
  return size;
}

}  // namespace

void RequestReader::reset() {
  phase_ = Phase::Idle;
  line_checked_ = continue_due_ = false;
  scanned_ = line_start_ = 0;
  body_ = {};
  partial_.reset();
}

RequestReader::Progress RequestReader::refuse(const Refusal& refusal) {
  refusal_ = refusal;
  return {Status::Refused, 0};
}

RequestReader::Progress RequestReader::read(std::string_view window, Head& head) {
  return phase_ == Phase::Body ? read_body(window, head) : read_head(window, head);
}

// Looks at every line end once, however slowly the bytes come; a line that ends or begins wrongly is refused at once.
RequestReader::Scan RequestReader::find_end(std::string_view window, Head& head) {
  for (;;) {
    const auto feed = window.find('\n', scanned_);
    if (feed == std::string_view::npos) break;
    scanned_ = feed + 1;
    if (feed == line_start_ || window[feed - 1] != '\r') return refuse(refusal::kLineEnd), Scan::Refused;
    if (feed == line_start_ + 1) return check_size(window.substr(0, scanned_));
    if (line_start_ > 0 && is_blank(window[line_start_])) return refuse(refusal::kFold), Scan::Refused;
    line_start_ = scanned_;
  }
  scanned_ = window.size();
  if (line_start_ > 0 && !line_checked_) {
    line_checked_ = true;
    if (auto refused = parse_request_line(window.substr(0, window.find("\r\n")), limits_, head)) {
      return refuse(*refused), Scan::Refused;
    }
  }
  return check_size(window) == Scan::Refused ? Scan::Refused : Scan::NeedMore;
}

RequestReader::Scan RequestReader::check_size(std::string_view window) {
  if (line_start_ == 0 && !is_token_char(window.front())) return refuse(refusal::kRequestLine), Scan::Refused;
  if (line_start_ == 0 && window.size() > limits_.target_bytes + kLineRoom) {
    return refuse(refusal::kTargetSize), Scan::Refused;
  }
  if (window.size() > limits_.header_bytes) return refuse(refusal::kHeadSize), Scan::Refused;
  return Scan::Found;
}

RequestReader::Progress RequestReader::read_head(std::string_view window, Head& head) {
  const auto skipped = phase_ == Phase::Idle ? empty_lines(window) : 0;
  window.remove_prefix(skipped);
  if (window.empty() || window == "\r") return {Status::NeedMore, skipped};
  phase_ = Phase::Head;
  switch (find_end(window, head)) {
    case Scan::NeedMore:
      return {Status::NeedMore, skipped};
    case Scan::Refused:
      return {Status::Refused, skipped};
    case Scan::Found:
      break;
  }
  const auto block = window.substr(0, scanned_);
  const auto rest = window.substr(scanned_);
  if (auto refused = parse_head(block, limits_, head)) return refuse(*refused);
  framing_ = head.framing;
  body_left_ = head.content_length;
  if (framing_ == Framing::None) return {Status::Complete, skipped + block.size()};
  if (framing_ == Framing::Length && rest.size() >= body_left_) {
    body_ = rest.substr(0, body_left_);
    return {Status::Complete, skipped + block.size() + body_.size()};
  }
  if (limits_.refuse_bodies && limits_.refuse_bodies->load(std::memory_order_relaxed)) return refuse(refusal::kMemory);
  phase_ = Phase::Body;
  continue_due_ = head.expects_continue && rest.empty();
  partial_ = std::make_unique<Partial>();
  partial_->head = block;
  auto progress = read_body(rest, head);
  progress.consumed += skipped + block.size();
  return progress;
}

RequestReader::Progress RequestReader::read_body(std::string_view window, Head& head) {
  if (framing_ == Framing::Length) {
    const auto taken = window.substr(0, body_left_);
    partial_->body.append(taken);
    body_left_ -= taken.size();
    if (body_left_ > 0) return {Status::NeedMore, taken.size()};
    return finish_partial(taken.size(), head);
  }
  auto rest = window;
  switch (partial_->decoder.decode(rest, partial_->body, limits_.body_bytes)) {
    case ChunkedDecoder::Status::NeedMore:
      return {Status::NeedMore, window.size()};
    case ChunkedDecoder::Status::Malformed:
      return refuse(refusal::kChunk);
    case ChunkedDecoder::Status::TooLarge:
      return refuse(refusal::kBodySize);
    case ChunkedDecoder::Status::Done:
      break;
  }
  return finish_partial(window.size() - rest.size(), head);
}

// The worker's Head was used for other connections meanwhile, so the kept block is parsed again.
RequestReader::Progress RequestReader::finish_partial(std::size_t consumed, Head& head) {
  if (auto refused = parse_head(partial_->head, limits_, head)) return refuse(*refused);
  body_ = partial_->body;
  return {Status::Complete, consumed};
}

}  // namespace gateway::server
