#include "gateway/records/contact_pages.h"

#include <algorithm>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <charconv>

#include "gateway/server/problem.h"
#include "policies/json_slices.h"
#include "policies/json_strings.h"
#include "policies/percent.h"
#include "policies/retry.h"
#include "policies/timestamp.h"

namespace gateway::records {

using std::chrono::milliseconds;

namespace {

constexpr std::size_t kPageSize = 100;  // upstream's most
constexpr int kTries = 9;
constexpr milliseconds kFirstPause{250}, kLongestPause{15'000}, kLongestRetryAfter{60'000};
constexpr milliseconds kLook{50};  // how often the limit is looked at

std::string first_at(std::string_view json, std::string_view path) {
  std::string first;
  policies::json_strings(json, path, [&](std::string_view value) {
    if (first.empty()) first = value;
  });
  return first;
}

template <typename Number>
Number number_at(std::string_view json, std::string_view path) {
  const std::string text = first_at(json, path);
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The moment by which upstream orders a contact: some answers name it (`startAfter`), all have `dateAdded`.
std::int64_t place_of(std::string_view contact, std::int64_t added_ms) {
  const auto named = number_at<std::int64_t>(contact, "startAfter");
  return named > 0 ? named : added_ms;
}

NextPage told_by(std::string_view body) {
  if (!first_at(body, "meta.startAfterId").empty()) return NextPage::Told;
  const auto meta = policies::json_member(body, "meta");
  NextPage tells = NextPage::Untold;
  for (const char* name : {"nextPage", "nextPageUrl"}) {
    const auto value = meta ? policies::json_member(*meta, name) : std::nullopt;
    if (!value) continue;
    if (*value != "null" && *value != "\"\"" && *value != "false") return NextPage::More;
    tells = NextPage::None;
  }
  return tells;
}

server::Response unreadable(std::string detail) {
  return server::to_response(
      {502, "http_protocol_error", "upstream-unreadable", "The upstream's answer cannot be read", std::move(detail)});
}

}  // namespace

bool may_pass(int status) { return status == 429 || status == 500 || (status >= 502 && status <= 504); }

asio::awaitable<void> PatientCalls::pause(milliseconds time) const {
  asio::steady_timer timer(io_, time);
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> PatientCalls::leave_room(std::string location) const {
  const auto until = std::chrono::steady_clock::now() + calls_.budget(location).limit.interval;
  while (std::chrono::steady_clock::now() < until) {
    const auto budget = calls_.budget(location);
    if (budget.remaining * 2 > budget.limit.requests) co_return;
    co_await pause(kLook);
  }
}

asio::awaitable<server::Response> PatientCalls::run(exchange::Call call, std::function<bool()> ending) const {
  call.urgency = 7;
  call.wait.reset();
  for (int tries = 1;; ++tries) {
    co_await leave_room(call.location);
    auto response = co_await calls_.run(call);
    if (!may_pass(response.status) || tries == kTries || ending()) co_return response;
    auto time = std::min(kFirstPause * (1 << (tries - 1)), kLongestPause);
    if (const auto after = response.fields.find("Retry-After"))
      if (const auto asked = policies::parse_retry_after(*after, std::chrono::seconds(0)))
        time = std::max<milliseconds>(time, std::chrono::duration_cast<milliseconds>(*asked));
    if (time > kLongestRetryAfter) co_return response;  // the day's quota, say
    co_await pause(time);
  }
}

std::string page_target(std::string_view location, const policies::PageMark& mark) {
  std::string target = "/contacts/?locationId=";
  policies::append_word(target, location);
  target += "&limit=" + std::to_string(kPageSize);
  if (mark.after_id.empty()) return target;
  if (mark.after_ms != 0) target += "&startAfter=" + std::to_string(mark.after_ms);
  target += "&startAfterId=";
  policies::append_word(target, mark.after_id);
  return target;
}

std::variant<Page, server::Response> read_page(const server::Response& response, const policies::PageMark& asked) {
  Page page;
  page.body = response.body ? response.body : std::make_shared<const std::string>();
  const std::string_view text = *page.body;
  const auto list = policies::json_member(text, "contacts");
  const bool whole = list && policies::json_children(*list, [&](std::string_view, std::string_view json) {
                       ListedContact contact{json, first_at(json, "id"), 0};
                       contact.added_ms =
                           policies::parse_timestamp(first_at(json, "dateAdded")).value_or(milliseconds(0)).count();
                       page.contacts.push_back(std::move(contact));
                     });
  if (!whole) return unreadable("It holds no list of contacts.");
  if (std::ranges::any_of(page.contacts, [](const auto& each) { return each.id.empty(); }))
    return unreadable("A contact in its list has no id.");
  page.counted = number_at<std::uint64_t>(text, "meta.total");
  page.total = page.counted > 0 ? page.counted : number_at<std::uint64_t>(text, "count");
  if (page.contacts.empty()) return page;
  page.tells = told_by(text);
  const auto& last = page.contacts.back();
  page.next = page.tells == NextPage::Told ? policies::PageMark{number_at<std::int64_t>(text, "meta.startAfter"),
                                                                first_at(text, "meta.startAfterId")}
                                           : policies::PageMark{place_of(last.json, last.added_ms), last.id};
  if (page.tells == NextPage::Told && page.next == asked) return unreadable("Its next page is itself.");
  return page;
}

// `count` may be the page's own: it ends nothing by itself. A page that says it is the last, and of more than there
// was, is asked behind; not so where an upstream that told before counts those that were added meanwhile.
Onward onward(const Page& page, const Course& course) {
  const bool all = page.total == 0 ? page.contacts.size() != kPageSize : course.done >= page.total;
  if (page.contacts.empty()) return Onward::End;
  if (page.tells == NextPage::Told) return Onward::Next;
  if (course.repeated) return all ? Onward::End : Onward::Lost;
  if (page.tells == NextPage::More) return Onward::Next;
  const bool counted = page.counted > 0 && course.done >= page.counted;
  if (course.told && (page.contacts.size() < kPageSize || counted)) return Onward::End;
  if (course.all_listed) return Onward::End;
  return page.tells == NextPage::None && (page.total == 0 || all) ? Onward::End : Onward::Next;
}

server::Response lost(const Page& page, std::uint64_t done) {
  return unreadable("Behind contact " + std::to_string(done) + " it lists the same ones again" +
                    (page.total > 0 ? ", of " + std::to_string(page.total) + " that it counts." : "."));
}

// The newest come first, equal moments by id.
std::size_t place_in(const Page& page, const policies::RecordCursor& cursor) {
  if (cursor.last_id.empty()) return 0;
  const auto same = std::ranges::find(page.contacts, cursor.last_id, &ListedContact::id);
  if (same != page.contacts.end()) return static_cast<std::size_t>(same - page.contacts.begin()) + 1;
  const auto behind = std::ranges::find_if(page.contacts, [&](const auto& each) {
    return each.added_ms < cursor.last_ms || (each.added_ms == cursor.last_ms && each.id > cursor.last_id);
  });
  return static_cast<std::size_t>(behind - page.contacts.begin());
}

}  // namespace gateway::records
