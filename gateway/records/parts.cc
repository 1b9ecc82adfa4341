#include "gateway/records/parts.h"

#include <array>

#include "policies/percent.h"

namespace gateway::records {

exchange::Call call_for(const exchange::OwnRequest& request, std::string target) {
  static constexpr std::array<std::string_view, 4> kPassedOn{"Version", "Cache-Control", "traceparent", "tracestate"};
  exchange::Call call;
  call.target = std::move(target);
  for (const auto name : kPassedOn)
    if (const auto value = request.fields.find(name)) call.fields.add(std::string(name), std::string(*value));
  call.location = request.location;
  call.client = request.client;
  call.urgency = request.urgency;
  call.wait = request.wait;
  call.id = request.id;
  return call;
}

std::string contact_path(std::string_view contact) {
  std::string path = "/contacts/";
  policies::append_word(path, contact);
  return path;
}

std::string_view body_of(const server::Response& response) {
  return response.body ? std::string_view(*response.body) : std::string_view();
}

std::vector<policies::PartAnswer> part_answers(policies::Parts parts, const std::vector<server::Response>& answers) {
  std::vector<policies::PartAnswer> all;
  for (std::size_t part = 0; part < policies::kParts.size(); ++part) {
    if (!policies::includes(parts, part)) continue;
    const auto& answer = answers[all.size()];
    all.push_back({part, answer.status, body_of(answer)});
  }
  return all;
}

}  // namespace gateway::records
