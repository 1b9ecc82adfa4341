#include "gateway/records/whole_record.h"

#include "gateway/exchange/belonging.h"
#include "gateway/records/attend.h"
#include "gateway/records/group.h"
#include "gateway/records/parts.h"
#include "gateway/server/problem.h"
#include "policies/conditional.h"
#include "policies/json_slices.h"
#include "policies/query.h"

namespace gateway::records {

using exchange::OwnRequest;

namespace {

constexpr std::string_view kBadInclude = "unknown-part";

// What this cache did for one part (RFC 9211): the members of one field are told apart by their `key`.
void append_cache_status(std::string& out, const server::Response& response, std::string_view part) {
  std::string_view own;  // the last of that name: upstream's own come before
  for (const auto& field : response.fields)
    if (policies::same_name(field.name, "Cache-Status")) own = field.value;
  if (!out.empty()) out += ", ";
  out.append(own).append("; key=\"").append(part).append("\"");
}

std::string cache_status(const server::Response& contact, policies::Parts parts,
                         const std::vector<server::Response>& answers) {
  std::string status;
  append_cache_status(status, contact, "contact");
  std::size_t next = 0;
  for (std::size_t part = 0; part < policies::kParts.size(); ++part)
    if (policies::includes(parts, part)) append_cache_status(status, answers[next++], policies::kParts[part].name);
  return status;
}

}  // namespace

server::Response unknown_part(const policies::UnknownPart& part) {
  return server::to_response({400, "http_request_error", kBadInclude, "No such part",
                              "include takes " + policies::known_parts() + ", parted by commas; '" +
                                  part.name.substr(0, 40) + "' is none of them."});
}

void WholeRecord::serve(const std::shared_ptr<OwnRequest>& request) {
  const auto include = policies::include_of(request->query);
  const auto parsed = policies::parse_parts(include.value_or("notes,tasks,appointments"));
  if (const auto* unknown = std::get_if<policies::UnknownPart>(&parsed))
    return request->answer(unknown_part(*unknown), kBadInclude);
  attend(io_, request, [this, request, parts = std::get<policies::Parts>(parsed)] { return run(request, parts); });
}

asio::awaitable<void> WholeRecord::run(std::shared_ptr<OwnRequest> request, policies::Parts parts) {
  auto response = co_await answer(request, parts);
  request->answer(std::move(response));
}

asio::awaitable<server::Response> WholeRecord::answer(std::shared_ptr<OwnRequest> request, policies::Parts parts) {
  const std::string path = contact_path(request->parameter("contactId"));
  Group<server::Response> group(io_);
  for (std::size_t part = 0; part < policies::kParts.size(); ++part)
    if (policies::includes(parts, part))
      group.start(calls_.run(call_for(*request, path + std::string(policies::kParts[part].path))));
  auto contact = co_await calls_.run(call_for(*request, path));
  const auto own = policies::contact_of(body_of(contact));
  if (contact.status != 200) co_return contact;  // the group goes with it
  if (request->proves && is_elsewhere(policies::RecordKind::Contact, body_of(contact), request->location))
    co_return exchange::to_response(exchange::Refusal::Forbidden, std::string(exchange::kOtherLocation));
  if (!own)
    co_return server::to_response({502, "http_protocol_error", "upstream-unreadable",
                                   "The upstream's answer cannot be read",
                                   contact.fields.find("Content-Encoding") ? "It is in a coding that was not asked for."
                                                                           : "It holds no contact."});
  const auto answers = co_await group.wait();
  const auto part_list = part_answers(parts, answers);

  std::string body;
  policies::append_record(body, *own, part_list);
  body += "}\n";
  server::Response response;
  response.fields.add("Content-Type", "application/json; charset=utf-8");
  response.fields.add("Cache-Control", "private, no-cache");  // each reader asks; the gateway's cache answers
  response.fields.add("Cache-Status", cache_status(contact, parts, answers));
  if (policies::is_whole(part_list)) {
    const std::string etag = policies::make_etag(body);
    response.fields.add("ETag", etag);
    if (policies::not_modified(request->fields.view(), etag, {})) {
      response.status = 304;
      response.fields.remove("Content-Type");
      co_return response;
    }
  }
  response.body = std::make_shared<const std::string>(std::move(body));
  co_return response;
}

}  // namespace gateway::records
