#include "tests/support/listening.h"

#include <stdexcept>

#include "tests/support/json.h"

namespace test_support {

std::string wait_for_address(Process& process, Stream stream, std::string_view name, milliseconds limit) {
  std::string address;
  const auto line = process.wait_for_line(
      stream,
      [&](std::string_view text) {
        const auto json = text.find("\"listening\"") == std::string_view::npos ? std::nullopt : Json::parse(text);
        const bool ours =
            json && json->has("event") && json->text("event") == "listening" && json->text("name") == name;
        if (ours) address = json->text("address");
        return ours;
      },
      limit);
  if (line) return address;
  throw std::runtime_error("'" + std::string(name) + "' does not listen; the program wrote:\n" +
                           process.output(Stream::Out) + process.output(Stream::Error));
}

}  // namespace test_support
