#include "gateway/config/table.h"

#include <openssl/crypto.h>

#include <vector>

#include "gateway/config/table_rows.h"

namespace gateway::config {

Value::~Value() {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
}

std::span<const Setting> table() {
  static const std::vector<Setting> rows = [] {
    std::vector<Setting> all;
    for (const auto part : {edge_rows(), credentials_rows(), cache_rows()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return rows;
}

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t end = path.starts_with("[]") ? 2 : path.find_first_of(".[");
    parts.push_back(path.substr(0, end));
    if (end == std::string_view::npos) break;
    path.remove_prefix(end);
    if (path.starts_with('.')) path.remove_prefix(1);
  }
  return parts;
}

}  // namespace gateway::config
