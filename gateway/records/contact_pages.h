// The contacts of one location, page by page, as upstream lists them: the newest first, each page from behind the last
// contact of the one before (startAfter, startAfterId), so that contacts that come or go meanwhile move no other one
// over a page's edge. Where a page does not say where the next one begins (the vendor's document has no `meta`), that
// is behind its own last contact, until a page is empty. Patient: what may pass (429, 5xx) is tried again. Asio thread
// only.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/exchange/calls.h"
#include "gateway/server/reply.h"
#include "policies/record_cursor.h"

namespace gateway::records {

// A refusal that says nothing of the thing that was asked for: limits, faults on the way, an upstream that fails.
bool may_pass(int status);

// Calls in the background: each waits until half of the location's rate limit is free, so that others find room at
// once, or one interval at most; then it takes its turn at urgency 7. What may pass is tried again for about a minute.
class PatientCalls {
 public:
  PatientCalls(asio::io_context& io, const exchange::Calls& calls) : io_(io), calls_(calls) {}
  // `ending`: true ends the patience.
  asio::awaitable<server::Response> run(exchange::Call call, std::function<bool()> ending) const;

 private:
  asio::awaitable<void> leave_room(std::string location) const;
  asio::awaitable<void> pause(std::chrono::milliseconds time) const;

  asio::io_context& io_;
  const exchange::Calls& calls_;
};

struct ListedContact {
  std::string_view json;  // a view into the page's body
  std::string id;
  std::int64_t added_ms = 0;
};
enum class NextPage {
  Told,    // upstream says where it begins
  None,    // it says that there is none
  Untold,  // it says nothing: behind this page's last contact
};
struct Page {
  std::shared_ptr<const std::string> body;
  std::vector<ListedContact> contacts;
  policies::PageMark next;  // of an empty page: none
  NextPage tells = NextPage::Untold;
  std::uint64_t total = 0;  // of the location, as upstream says; 0: it does not
};

enum class Onward { Next, End, Lost };
// What comes behind a page, with `done` contacts so far. `repeated`: it holds nothing but contacts of the page before,
// as from an upstream that knows no pages: all there is, or more that cannot be reached (Lost).
Onward onward(const Page& page, std::uint64_t done, bool repeated);
server::Response lost(const Page& page, std::uint64_t done);  // the problem that Lost ends with

std::string page_target(std::string_view location, const policies::PageMark& mark);

// What a 200 holds; the problem to answer where it cannot be read, or leads nowhere.
std::variant<Page, server::Response> read_page(const server::Response& response, const policies::PageMark& asked);

// Where to go on in a page that `cursor` was in: behind its last contact, or where that one would be.
std::size_t place_in(const Page& page, const policies::RecordCursor& cursor);

}  // namespace gateway::records
