// An answer as it arrives: field lines and body bytes in, one Response out, within limits. Interim (1xx) heads and
// trailers are dropped, folded lines are joined (RFC 9112 section 5.2), lengths that contradict each other are refused
// (section 6.3); control characters of values become spaces and lines whose name is none are dropped, so that what
// comes out is sound to write on. One thread; pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/upstream/client.h"

namespace gateway::upstream {

class Answer {
 public:
  enum class Fault { FieldsTooLarge, BodyTooLarge, BadLength, BadStatus };

  Answer(std::size_t body_limit, std::size_t field_limit, bool has_body)
      : body_limit_(body_limit), field_limit_(field_limit), has_body_(has_body) {}

  // One line with its line end, as libcurl hands them over, the status line and the empty last one included. False:
  // stop.
  bool line(std::string_view text);
  bool bytes(std::string_view text);

  bool head_done() const { return head_done_ && response_.status >= 200; }  // a final one
  std::optional<Fault> fault() const { return fault_; }
  Response take();  // after the transfer ended well; status and fields are those of the last head

 private:
  bool fail(Fault fault);
  bool end_of_head();
  bool check_length();

  std::size_t body_limit_, field_limit_, field_bytes_ = 0;
  bool has_body_;  // false for HEAD
  bool head_done_ = false;
  std::optional<Fault> fault_;
  Response response_;
  std::vector<policies::Field> received_;
};

}  // namespace gateway::upstream
