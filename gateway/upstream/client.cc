#include "gateway/upstream/client.h"

#include <curl/curl.h>
#include <unistd.h>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdint>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include "gateway/upstream/failure.h"
#include "gateway/upstream/multi.h"
#include "gateway/upstream/request_lines.h"
#include "gateway/upstream/transfer.h"

namespace gateway::upstream {

namespace {

// The coroutine that waits for a transfer, its handler's type hidden.
struct Waiter {
  virtual ~Waiter() = default;
  virtual void resume(std::error_code error, Outcome outcome) = 0;  // from the loop, never from within
};

template <class Handler>
struct WaiterFor final : Waiter {
  WaiterFor(asio::io_context& context, Handler waiting) : io(context), handler(std::move(waiting)) {}

  void resume(std::error_code error, Outcome outcome) override {
    const auto executor = asio::get_associated_executor(handler, io.get_executor());
    asio::post(executor, [to = std::move(handler), error, result = std::move(outcome)]() mutable {
      asio::get_associated_cancellation_slot(to).clear();  // here and not before: resume() may run inside the slot
      std::move(to)(error, std::move(result));
    });
  }

  asio::io_context& io;
  Handler handler;
};

CURLSH* make_share() {
  CURLSH* share = curl_share_init();
  if (share == nullptr) throw std::bad_alloc();
  curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);  // one thread: needs no lock functions
  return share;
}

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

// `origin`: parse_base_url's, so that only memory can be wanting.
Url make_url(const std::string& origin) {
  Url url(curl_url(), &curl_url_cleanup);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, origin.c_str(), 0) != CURLUE_OK) throw std::bad_alloc();
  return url;
}

const Options& checked(const Options& options) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) throw std::runtime_error(curl_easy_strerror(initialised));
  if (!options.ca_file.empty() && ::access(options.ca_file.c_str(), R_OK) != 0)
    throw std::invalid_argument("upstream CA file: cannot be read: " + options.ca_file);
  return options;
}

}  // namespace

class Client::Impl : public std::enable_shared_from_this<Client::Impl> {
 public:
  Impl(asio::io_context& io, Options options)
      : io_(io),
        share_(make_share(), &curl_share_cleanup),
        common_{checked(options), parse_base_url(options.base_url)},
        origin_(make_url(common_.base.origin)) {
    multi_ =
        std::make_shared<Multi>(io, options.connections, [this](CURL* easy, CURLcode code) { finish(easy, code); });
    common_.multi = multi_.get();
    common_.share = share_.get();
    common_.origin = origin_.get();
  }

  static asio::awaitable<Outcome> send(std::shared_ptr<Impl> impl, Request request) {
    if (const auto why = unsendable(request))
      co_return Outcome{.result = Failed{Failure::Unsendable, std::string(*why)}};
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::error_code, Outcome)>(
        [impl](auto handler, Request what) { impl->start(std::move(handler), std::move(what)); }, asio::use_awaitable,
        std::move(request));
  }

  // In this order: no transfer may be known to libcurl when the pool closes, closing still calls into common_.
  void close() {
    while (!flights_.empty()) cancel(flights_.begin()->first, flights_.begin()->second.number);
    multi_->close();
    free_.clear();
  }

  std::size_t in_flight() const { return flights_.size(); }

 private:
  struct Flight {
    std::unique_ptr<Transfer> transfer;
    std::unique_ptr<Waiter> waiter;
    std::uint64_t number;  // easy handles are used again, numbers are not
  };

  template <class Handler>
  void start(Handler handler, Request request) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    auto transfer = idle_transfer();
    transfer->begin(std::move(request));
    CURL* easy = transfer->easy();
    const std::uint64_t number = ++last_number_;
    // Never inside a libcurl callback: no coroutine runs there.
    if (slot.is_connected())
      slot.assign([weak = weak_from_this(), easy, number](asio::cancellation_type) {
        if (const auto impl = weak.lock()) impl->cancel(easy, number);
      });
    flights_.emplace(
        easy, Flight{std::move(transfer), std::make_unique<WaiterFor<Handler>>(io_, std::move(handler)), number});
    if (!multi_->add(easy)) finish(easy, CURLE_OUT_OF_MEMORY);
  }

  std::unique_ptr<Transfer> idle_transfer() {
    if (free_.empty()) return std::make_unique<Transfer>(common_);
    auto transfer = std::move(free_.back());
    free_.pop_back();
    return transfer;
  }

  void finish(CURL* easy, CURLcode code) {
    auto flight = flights_.extract(easy);
    Outcome outcome = flight.mapped().transfer->end(code);
    retire(std::move(flight.mapped().transfer));
    flight.mapped().waiter->resume({}, std::move(outcome));
  }

  void cancel(CURL* easy, std::uint64_t number) {
    const auto found = flights_.find(easy);
    if (found == flights_.end() || found->second.number != number) return;  // its answer is already on its way
    auto flight = flights_.extract(found);
    multi_->remove(easy);
    flight.mapped().transfer->drop();
    retire(std::move(flight.mapped().transfer));
    flight.mapped().waiter->resume(asio::error::operation_aborted, {});
  }

  void retire(std::unique_ptr<Transfer> transfer) {
    if (free_.size() < common_.options.connections) free_.push_back(std::move(transfer));
  }

  asio::io_context& io_;
  std::unique_ptr<CURLSH, decltype(&curl_share_cleanup)> share_;
  Common common_;
  Url origin_;
  std::shared_ptr<Multi> multi_;
  std::vector<std::unique_ptr<Transfer>> free_;
  std::unordered_map<CURL*, Flight> flights_;
  std::uint64_t last_number_ = 0;
};

Client::Client(asio::io_context& io, Options options) : impl_(std::make_shared<Impl>(io, std::move(options))) {}
Client::~Client() { impl_->close(); }
void Client::close() { impl_->close(); }

asio::awaitable<Outcome> Client::send(Request request) { return Impl::send(impl_, std::move(request)); }
std::size_t Client::in_flight() const { return impl_->in_flight(); }

}  // namespace gateway::upstream
