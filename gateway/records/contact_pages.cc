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
  target += "&startAfter=" + std::to_string(mark.after_ms) + "&startAfterId=";
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
  page.total = number_at<std::uint64_t>(text, "meta.total");
  page.next.after_id = first_at(text, "meta.startAfterId");
  page.next.after_ms = number_at<std::int64_t>(text, "meta.startAfter");
  page.last = page.contacts.empty() || page.next.after_id.empty();
  if (!page.last && page.next == asked) return unreadable("Its next page is itself.");
  return page;
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
