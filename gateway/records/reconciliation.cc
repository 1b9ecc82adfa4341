#include "gateway/records/reconciliation.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <unordered_set>

#include "gateway/records/attend.h"
#include "gateway/records/parts.h"
#include "gateway/records/whole_record.h"
#include "gateway/server/problem.h"
#include "policies/query.h"

namespace gateway::records {

using exchange::OwnRequest;
using std::chrono::steady_clock;

namespace {

constexpr int kMostAtOnce = 16;             // exports of one gateway
constexpr std::size_t kContactsAtOnce = 4;  // of one export, each with its parts
constexpr std::size_t kLinesAtOnce = 16 * 1024;
constexpr std::chrono::seconds kProgressEach{1};

server::Response bad_cursor(std::string detail) {
  return server::to_response(
      {400, "http_request_error", "bad-cursor", "The export cannot go on from there", std::move(detail)});
}

server::Response too_many() {
  auto response = server::to_response({503, "destination_unavailable", "too-many-exports", "Too many exports",
                                       "This gateway runs as many exports as it may; try again later."});
  response.fields.add("Retry-After", "30");
  return response;
}

server::Response ending() {
  return server::to_response(
      {503, "", "ending", "The gateway is ending", "Ask again with the cursor: another process goes on."});
}

}  // namespace

struct Reconciliation::Export {
  Export(asio::io_context& io, std::shared_ptr<OwnRequest> of, std::shared_ptr<std::atomic<int>> counter)
      : request(std::move(of)), outlet(io, request->reply), running(std::move(counter)) {
    ++*running;
  }
  ~Export() { --*running; }
  Export(const Export&) = delete;
  Export& operator=(const Export&) = delete;

  std::shared_ptr<OwnRequest> request;
  Outlet outlet;
  std::shared_ptr<std::atomic<int>> running;
  policies::RecordCursor cursor, before;  // `before`: behind the last contact of the page before
  std::uint64_t done_before = 0, total = 0;
  bool from_first = false;                     // this run reads from the first page on
  std::uint64_t listed = 0, most_counted = 0;  // contacts in its pages; the most that upstream said there are
  bool progress = false;
  steady_clock::time_point began = steady_clock::now(), told = began;
  std::unordered_set<std::string> previous;  // ids of the page before

  Course take(const Page& page);
  void go_to(const Page& page);
  void add_progress();
};

// Before it is sent. Contacts that are deleted meanwhile lower what upstream counts, not what is still to be read: the
// most that it counted is reached, or nothing; and what an earlier run read may be deleted since.
Course Reconciliation::Export::take(const Page& page) {
  const auto fresh = static_cast<std::uint64_t>(
      std::ranges::count_if(page.contacts, [&](const auto& contact) { return !previous.contains(contact.id); }));
  listed += fresh;
  most_counted = std::max(most_counted, page.counted);
  return {.repeated = !previous.empty() && fresh == 0,
          .told = cursor.told,
          .all_listed = from_first && most_counted > 0 && listed >= most_counted};
}

void Reconciliation::Export::go_to(const Page& page) {
  before = cursor;
  cursor.page = page.next;
  cursor.told = cursor.told || page.tells == NextPage::Told;
  cursor.last_id.clear();
}

// From here on in this run; what an earlier one did took its own time.
void Reconciliation::Export::add_progress() {
  told = steady_clock::now();
  const double seconds = std::chrono::duration<double>(told - began).count();
  const double rate = seconds > 0 ? static_cast<double>(cursor.done - done_before) / seconds : 0;
  std::string line = "{\"progress\":{\"done\":" + std::to_string(cursor.done);
  if (total > 0) line += ",\"total\":" + std::to_string(std::max(total, cursor.done));
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", rate);
  line.append(",\"per_second\":").append(text);
  if (total > 0 && rate > 0) {
    const auto left = static_cast<double>(total > cursor.done ? total - cursor.done : 0) / rate;
    line += ",\"seconds_left\":" + std::to_string(static_cast<std::uint64_t>(left + 0.5));
  }
  outlet.add_line(line + "}}");
}

void Reconciliation::serve(const std::shared_ptr<OwnRequest>& request) {
  if (*running_ >= kMostAtOnce) return request->answer(too_many(), "too-many-exports");
  auto exporting = std::make_shared<Export>(io_, request, running_);
  auto& cursor = exporting->cursor;
  const std::string location(request->parameter("locationId"));
  const auto include = policies::include_of(request->query);
  const auto parsed = policies::parse_parts(include.value_or(""));
  if (const auto* unknown = std::get_if<policies::UnknownPart>(&parsed))
    return request->answer(unknown_part(*unknown), "unknown-part");
  const auto parts = std::get<policies::Parts>(parsed);
  const auto given = policies::query_parameter(request->query, "cursor");
  if (given && !given->empty()) {
    const auto decoded = policies::decode_cursor(*given);
    if (!decoded)
      return request->answer(bad_cursor("The cursor is none of this gateway's, or not whole."), "bad-cursor");
    if (decoded->location != location) return request->answer(bad_cursor("It is of another location."), "bad-cursor");
    if (include && decoded->parts != parts)
      return request->answer(bad_cursor("It was begun with another include."), "bad-cursor");
    cursor = *decoded;
  } else {
    cursor.location = location;
    cursor.parts = parts;
  }
  exporting->done_before = cursor.done;
  exporting->from_first = cursor.page.after_id.empty();
  exporting->progress = policies::query_parameter(request->query, "progress") == "true";
  attend(io_, request, [this, exporting] { return run(exporting); });
}

asio::awaitable<server::Response> Reconciliation::fetch_page(ExportPtr exporting) const {
  auto call = call_for(*exporting->request, page_target(exporting->cursor.location, exporting->cursor.page));
  call.fields.set("Cache-Control", "no-store");
  co_return co_await calls_.run(std::move(call), [this] { return ending_.load(); });
}

asio::awaitable<void> Reconciliation::run(ExportPtr exporting) {
  auto& request = *exporting->request;
  server::Response head;
  head.fields.add("Content-Type", "application/x-ndjson");
  head.fields.add("Cache-Control", "no-store");
  head.fields.add("X-Request-Id", request.id);
  bool started = false;
  for (;;) {
    auto response = co_await fetch_page(exporting);
    auto read = response.status == 200 ? read_page(response, exporting->cursor.page)
                                       : std::variant<Page, server::Response>(response);
    if (auto* problem = std::get_if<server::Response>(&read)) {
      if (!started) co_return request.answer(std::move(*problem), "page-refused");
      co_return co_await fail(exporting, std::move(*problem));
    }
    if (request.method == "HEAD") co_return request.answer(std::move(head));
    if (!std::exchange(started, true)) exporting->outlet.start(std::move(head));
    const auto& page = std::get<Page>(read);
    auto course = exporting->take(page);
    if (!co_await send_page(exporting, page)) co_return;
    course.done = exporting->cursor.done;
    const auto next = onward(page, course);
    if (next == Onward::End) break;
    if (next == Onward::Lost) {
      exporting->cursor = exporting->before;  // so that it repeats nothing when it is asked to go on
      co_return co_await fail(exporting, lost(page, exporting->cursor.done));
    }
    exporting->go_to(page);
  }
  if (exporting->progress) exporting->add_progress();
  exporting->outlet.add_line("{\"end\":{\"done\":" + std::to_string(exporting->cursor.done) + "}}");
  co_await exporting->outlet.flush();
  exporting->outlet.end();
  request.finished(200);
}

std::unique_ptr<Reconciliation::Parts> Reconciliation::fetch_parts(const Export& exporting,
                                                                   const ListedContact& contact) const {
  auto group = std::make_unique<Parts>(io_);
  for (std::size_t part = 0; part < policies::kParts.size(); ++part) {
    if (!policies::includes(exporting.cursor.parts, part)) continue;
    auto call = call_for(*exporting.request, contact_path(contact.id) + std::string(policies::kParts[part].path));
    call.fields.set("Cache-Control", "no-store");
    group->start(calls_.run(std::move(call), [this] { return ending_.load(); }));
  }
  return group;
}

// The parts of some contacts are under way at a time; records leave in the page's order.
asio::awaitable<bool> Reconciliation::send_page(ExportPtr exporting, const Page& page) {
  exporting->total = page.total;
  std::deque<std::unique_ptr<Parts>> under_way;
  std::size_t at = place_in(page, exporting->cursor), next = at;
  for (; at < page.contacts.size(); ++at) {
    const auto& contact = page.contacts[at];
    while (next < page.contacts.size() && under_way.size() < kContactsAtOnce)
      under_way.push_back(fetch_parts(*exporting, page.contacts[next++]));
    const auto parts = std::move(under_way.front());
    under_way.pop_front();
    if (!parts->finished() && exporting->outlet.waiting() > 0) co_await exporting->outlet.flush();
    auto answers = co_await parts->wait();
    if (exporting->previous.contains(contact.id)) continue;  // a page that began one too early
    if (!co_await send_record(exporting, contact, std::move(answers))) co_return false;
  }
  exporting->previous.clear();
  for (const auto& contact : page.contacts) exporting->previous.insert(contact.id);
  co_await exporting->outlet.flush();
  co_return true;
}

// A part that upstream refuses is named in its record, also where upstream fails at this very one again and again; any
// other failure ends the export, which goes on from here.
asio::awaitable<bool> Reconciliation::send_record(ExportPtr exporting, const ListedContact& contact,
                                                  std::vector<server::Response> answers) {
  if (ending_) {
    co_await fail(exporting, ending());
    co_return false;
  }
  for (auto& answer : answers) {
    if (!may_pass(answer.status) || answer.status == 500) continue;
    co_await fail(exporting, std::move(answer));
    co_return false;
  }
  auto& cursor = exporting->cursor;
  cursor.last_id = contact.id;
  cursor.last_ms = contact.added_ms;
  ++cursor.done;
  std::string line;
  policies::append_record(line, contact.json, part_answers(cursor.parts, answers));
  line.append(",\"cursor\":\"").append(policies::encode(cursor)).append("\"}");
  exporting->outlet.add_line(line);
  if (exporting->progress && steady_clock::now() - exporting->told >= kProgressEach) exporting->add_progress();
  if (exporting->outlet.waiting() >= kLinesAtOnce) co_await exporting->outlet.flush();
  co_return true;
}

asio::awaitable<void> Reconciliation::fail(ExportPtr exporting, server::Response problem) const {
  std::string line = "{\"problem\":";
  policies::append_problem(line, problem.status, body_of(problem));
  line.append(",\"cursor\":\"").append(policies::encode(exporting->cursor)).append("\"}");
  exporting->outlet.add_line(line);
  co_await exporting->outlet.flush();
  exporting->outlet.end();
  exporting->request->finished(200, "export-failed");
}

}  // namespace gateway::records
