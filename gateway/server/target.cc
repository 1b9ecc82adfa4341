#include "gateway/server/target.h"

#include <algorithm>

#include "gateway/server/head_parser.h"
#include "gateway/server/syntax.h"

namespace gateway::server {

namespace {

// What follows "http://" or "https://"; empty where `target` has no such scheme.
std::string_view after_scheme(std::string_view target) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (target.size() > scheme.size() && policies::same_name(target.substr(0, scheme.size()), scheme)) {
      return target.substr(scheme.size());
    }
  }
  return {};
}

void split_query(Head& head) {
  const auto mark = head.target.find('?');
  head.path = head.target.substr(0, mark);
  head.query = mark == std::string_view::npos ? std::string_view{} : head.target.substr(mark + 1);
}

bool split_absolute(Head& head) {
  const auto rest = after_scheme(head.target);
  const auto authority_end = std::min(rest.find_first_of("/?"), rest.size());
  head.host = rest.substr(0, authority_end);
  if (head.host.empty() || !is_authority(head.host)) return false;
  head.target = rest.substr(authority_end);
  if (head.target.empty()) {
    head.target = "/";
  } else if (head.target.front() == '?') {
    head.target_storage.assign("/").append(head.target);
    head.target = head.target_storage;
  }
  split_query(head);
  return true;
}

}  // namespace

bool split_target(Head& head) {
  if (!is_target(head.target)) return false;
  if (head.target.front() == '/') {
    split_query(head);
    return true;
  }
  head.path = head.target;
  head.query = {};
  if (head.target == "*") return head.method == "OPTIONS";
  if (head.method == "CONNECT") return is_authority(head.target);
  return split_absolute(head);
}

}  // namespace gateway::server
