#include "gateway/cli/opened_store.h"

#include <asio/co_spawn.hpp>
#include <stdexcept>

#include "gateway/token_store/open_store.h"

namespace gateway::cli {

OpenedStore::OpenedStore(const config::Settings& settings) {
  if (settings.credentials.oauth.store == "redis") {
    redis::Options options;
    options.url = redis::parse_url(settings.redis.url.value);
    redis_ = std::make_unique<redis::Client>(io_, std::move(options));
    redis_->start();
  }
  store_ = token_store::open_store(io_, settings, redis_.get(), false);
  run([this] { return open(); });
}

OpenedStore::~OpenedStore() {
  store_->stop();
  if (redis_) redis_->stop();
}

asio::awaitable<void> OpenedStore::open() {
  constexpr std::chrono::seconds kWithin{5};
  const bool up = !redis_ || co_await redis_->connected(kWithin);
  if (!up) throw std::runtime_error("Redis, which keeps the tokens, is away: " + redis_->status().error);
  auto loaded = co_await store_->load();
  if (const auto* failure = std::get_if<token_store::Failure>(&loaded)) throw std::runtime_error(failure->why);
  grants_ = std::move(std::get<std::vector<token_store::Grant>>(loaded));
}

void OpenedStore::run(std::function<asio::awaitable<void>()> work) {
  std::exception_ptr failure;
  bool done = false;
  asio::co_spawn(io_, std::move(work), [&](std::exception_ptr error) {
    failure = error;
    done = true;
  });
  io_.restart();
  while (!done && io_.run_one() > 0) {
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace gateway::cli
