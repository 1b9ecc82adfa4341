// Where a value stands in what a flow knows: "event.contact.email", "event.customFields[id=abc].value",
// "event.items.0.id", "event.na\.me" (a dot that belongs to the name). Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policies/flows/json.h"

namespace policies::flows {

class Path {
 public:
  // What is wrong with it in one line, or the path.
  static std::variant<Path, std::string> parse(std::string_view text);

  const std::string& text() const { return text_; }
  const std::string& root() const { return parts_.front().name; }
  std::string second() const { return parts_.size() > 1 ? parts_[1].name : std::string(); }
  const Json* in(const Json& root) const;  // null where it is not there

 private:
  struct Part {
    std::string name;      // a member, or an element's number
    std::string selector;  // "[selector=value]": the first element whose member says so
    std::string value;
  };
  std::string text_;
  std::vector<Part> parts_;
};

}  // namespace policies::flows
