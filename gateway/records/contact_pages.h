// The contacts of one location, page by page, as upstream lists them: the newest first, each page from behind the last
// contact of the one before (startAfter, startAfterId), so that contacts that come or go meanwhile move no other one
// over a page's edge. Where a page does not say where the next one begins (the vendor's document has no `meta`), that
// is behind its own last contact, until a page is empty or all that upstream counts were listed. Where an earlier page
// said it, a short one that does not is the last. Patient: what may pass (429, 5xx) is tried again. Asio thread only.
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
  Told,    // upstream says where it begins (meta.startAfterId)
  None,    // meta.nextPage and meta.nextPageUrl, those of them that are there, are null, "" or false
  More,    // one of them says that there is one, nothing where it begins: behind this page's last contact
  Untold,  // neither is there: behind this page's last contact, if there is one
};
struct Page {
  std::shared_ptr<const std::string> body;
  std::vector<ListedContact> contacts;
  policies::PageMark next;  // of an empty page: none
  NextPage tells = NextPage::Untold;
  std::uint64_t total = 0;    // of the location, or of the page where it has only `count`; 0: upstream does not say
  std::uint64_t counted = 0;  // of the location: meta.total
};

struct Course {             // of an export, up to the end of a page
  std::uint64_t done = 0;   // contacts sent so far
  bool repeated = false;    // the page holds nothing but contacts of the one before, as where upstream knows no pages
  bool told = false;        // an earlier page said where the next one began
  bool all_listed = false;  // as many as upstream ever counted, from the first page on
};
enum class Onward { Next, End, Lost };
// What comes behind a page. Lost: upstream repeats itself and has more, which cannot be reached.
Onward onward(const Page& page, const Course& course);
server::Response lost(const Page& page, std::uint64_t done);  // the problem that Lost ends with

std::string page_target(std::string_view location, const policies::PageMark& mark);

// What a 200 holds; the problem to answer where it cannot be read, or leads nowhere.
std::variant<Page, server::Response> read_page(const server::Response& response, const policies::PageMark& asked);

// Where to go on in a page that `cursor` was in: behind its last contact, or where that one would be.
std::size_t place_in(const Page& page, const policies::RecordCursor& cursor);

}  // namespace gateway::records
