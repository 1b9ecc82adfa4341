// `GET /gateway/locations/{locationId}/records?include=…&cursor=…&progress=true`: all contacts of a location, a line of
// JSON each (NDJSON), as upstream lists them, with the parts asked for.
//
//   {"contact":{…},"notes":[…],"cursor":"…"}      a record; its cursor goes on behind it
//   {"progress":{"done":…,"total":…,…}}           about each second, where asked for
//   {"end":{"done":…}}                            the last line of a whole export
//   {"problem":{…},"cursor":"…"}                  the last line of one that went wrong: it can go on from there
//
// The first page is fetched before anything is answered, so that its problems have a status of their own. Everything is
// asked of upstream at urgency 7 within half of the rate limit (contact_pages.h) and past the cache: an export's
// answers push nobody's entries out. Asio thread only, but for serve() and end_all(). Outlives every coroutine it
// starts.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <memory>

#include "gateway/exchange/calls.h"
#include "gateway/exchange/own_paths.h"
#include "gateway/records/contact_pages.h"
#include "gateway/records/group.h"
#include "gateway/records/outlet.h"
#include "policies/record_cursor.h"

namespace gateway::records {

class Reconciliation {
 public:
  Reconciliation(asio::io_context& io, const exchange::Calls& calls) : io_(io), calls_(io, calls) {}

  // On the connection's worker, inside on_request.
  void serve(const std::shared_ptr<exchange::OwnRequest>& request);
  // The gateway is ending: exports under way stop with a problem and their cursor. Any thread.
  void end_all() { ending_ = true; }

 private:
  struct Export;
  using ExportPtr = std::shared_ptr<Export>;
  using Parts = Group<server::Response>;

  asio::awaitable<void> run(ExportPtr exporting);
  asio::awaitable<server::Response> fetch_page(ExportPtr exporting) const;
  // False: it went wrong, and the last line is sent.
  asio::awaitable<bool> send_page(ExportPtr exporting, const Page& page);
  std::unique_ptr<Parts> fetch_parts(const Export& exporting, const ListedContact& contact) const;
  asio::awaitable<bool> send_record(ExportPtr exporting, const ListedContact& contact,
                                    std::vector<server::Response> answers);
  asio::awaitable<void> fail(ExportPtr exporting, server::Response problem) const;

  asio::io_context& io_;
  PatientCalls calls_;
  std::atomic<bool> ending_{false};
  // Shared: an export that never ended is destroyed with the io_context, after this.
  std::shared_ptr<std::atomic<int>> running_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace gateway::records
