#include "gateway/redis/resolve.h"

#include <asio/io_context.hpp>

namespace gateway::redis {
namespace {

struct Lookup {
  explicit Lookup(asio::io_context& io) : resolver(io), answered(io.get_executor()) {}
  asio::ip::tcp::resolver resolver;
  Event answered;
  bool done = false;
  std::vector<asio::ip::tcp::endpoint> addresses;
};

}  // namespace

asio::awaitable<std::vector<asio::ip::tcp::endpoint>> resolve(asio::io_context& io, Endpoint endpoint,
                                                              Clock::time_point deadline) {
  asio::error_code not_numeric;
  const auto address = asio::ip::make_address(endpoint.host, not_numeric);
  if (!not_numeric) co_return std::vector{asio::ip::tcp::endpoint(address, endpoint.port)};

  const auto lookup = std::make_shared<Lookup>(io);
  lookup->resolver.async_resolve(endpoint.host, std::to_string(endpoint.port), asio::ip::resolver_base::numeric_service,
                                 [lookup](asio::error_code error, asio::ip::tcp::resolver::results_type results) {
                                   lookup->done = true;
                                   if (!error)
                                     for (const auto& entry : results) lookup->addresses.push_back(entry.endpoint());
                                   lookup->answered.notify();
                                 });
  while (!lookup->done && Clock::now() < deadline) co_await lookup->answered.wait(deadline);
  co_return std::move(lookup->addresses);
}

}  // namespace gateway::redis
