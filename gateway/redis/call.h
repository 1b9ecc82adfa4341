// Commands without a coroutine: for what is asked thousands of times a second. Client::ask() takes them; then, on the
// io_context's thread and never inside ask(), take() is called for each reply in its turn, while hiredis holds it: it
// reads it and calls nothing of redis. done() is called exactly once in any case, and may do what it likes.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/redis/client.h"

namespace gateway::redis {

class ReplyView;

class Call {
 public:
  virtual ~Call() = default;
  virtual void take(const ReplyView& reply) = 0;
  virtual void done(std::optional<Unavailable> why) = 0;  // nothing: take() was called for each
};

// Each of `all` is told, whatever one of them throws: that is thrown on once everybody was.
template <typename All, typename Tell>
void tell_all(const All& all, Tell tell) {
  std::exception_ptr thrown;
  for (const auto& each : all) {
    try {
      tell(each);
    } catch (...) {
      thrown = std::current_exception();
    }
  }
  if (thrown) std::rethrow_exception(thrown);
}

// Commands as they go out, written piece by piece (hiredis' own way to write one takes four times as long). On one
// connection Redis runs them in their order, and what others do may come between them.
class Words {
 public:
  Words();
  explicit Words(const std::vector<std::string>& command);
  Words& command(std::size_t words);                               // another one begins, of so many words
  Words& add(std::string_view first, std::string_view rest = {});  // one word, of two parts
  Words& add(std::uint64_t number);

  std::size_t commands() const { return begins_.size(); }
  std::string_view text(std::size_t command) const;

 private:
  std::string text_;
  std::vector<std::size_t> begins_;
};

}  // namespace gateway::redis
