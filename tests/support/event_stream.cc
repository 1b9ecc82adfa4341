#include "tests/support/event_stream.h"

#include <sys/socket.h>

#include <stdexcept>

namespace test_support {
namespace {

Event parse(std::string_view block) {
  Event event{"message", ""};
  while (!block.empty()) {
    const auto end = std::min(block.find('\n'), block.size());
    const auto line = block.substr(0, end);
    if (line.starts_with("event: ")) event.name = line.substr(7);
    if (line.starts_with("data: ")) event.data += line.substr(6);
    block.remove_prefix(std::min(end + 1, block.size()));
  }
  return event;
}

}  // namespace

EventStream::EventStream(const std::string& address, const std::string& target, const HttpFields& fields)
    : client_(address) {
  client_.connect();
  std::string request = "GET " + target + " HTTP/1.0\r\nHost: " + address + "\r\n";  // 1.0: without chunks
  for (const auto& [name, value] : fields) request += name + ": " + value + "\r\n";
  client_.write(request + "\r\n");
  const Deadline deadline(milliseconds{10'000});
  while (received_.find("\r\n\r\n") == std::string::npos)
    if (!fill(deadline)) throw std::runtime_error("no answer from " + target);
  const std::string head = received_.substr(0, received_.find("\r\n\r\n"));
  received_.erase(0, head.size() + 4);
  if (head.find(" 200 ") != head.find(' ')) throw std::runtime_error(head.substr(0, head.find("\r\n")));
}

bool EventStream::fill(const Deadline& deadline) {
  pollfd waiting{client_.descriptor(), POLLIN, 0};
  if (ended_ || ::poll(&waiting, 1, static_cast<int>(deadline.left().count())) <= 0) return false;
  char buffer[16 * 1024];
  const auto size = ::recv(client_.descriptor(), buffer, sizeof buffer, 0);
  if (size <= 0) return ended_ = true, false;
  received_.append(buffer, static_cast<std::size_t>(size));
  return true;
}

std::optional<Event> EventStream::next(milliseconds limit) {
  const Deadline deadline(limit);
  for (;;) {
    const auto end = received_.find("\n\n");
    if (end != std::string::npos) {
      const Event event = parse(std::string_view(received_).substr(0, end));
      received_.erase(0, end + 2);
      if (!event.data.empty()) return event;
    } else if (!fill(deadline)) {
      return std::nullopt;
    }
  }
}

std::optional<Event> EventStream::wait_for(milliseconds limit, const std::function<bool(const Event&)>& wanted) {
  const Deadline deadline(limit);
  while (auto event = next(deadline.left()))
    if (wanted(*event)) return event;
  return std::nullopt;
}

}  // namespace test_support
