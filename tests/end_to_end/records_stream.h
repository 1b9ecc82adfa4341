// What tests read of a stream of records.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/support/json.h"

namespace records_test {

inline const std::string kRecords = "/gateway/locations/loc_demo/records";

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// The records of a stream by contact, each once, and where the stream stood behind each.
struct Export {
  explicit Export(const std::string& body) {
    for (const auto& line : lines_of(body)) {
      const test_support::Json json(line);
      if (json.has("contact")) {
        CHECK(ids.insert(json.text("contact.id")).second);
        cursors.push_back(json.text("cursor"));
        order.push_back(json.text("contact.id"));
      }
      progress += json.has("progress") ? 1 : 0;
      last = line;
    }
  }
  std::set<std::string> ids;
  std::vector<std::string> cursors, order;
  std::size_t progress = 0;
  std::string last;
};

}  // namespace records_test
