// The token store as a command uses it beside the gateway: opened, reachable, and driven from an io_context of its own.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <functional>
#include <memory>

#include "gateway/config/settings.h"
#include "gateway/redis/client.h"
#include "gateway/token_store/store.h"

namespace gateway::cli {

class OpenedStore {
 public:
  // Throws std::runtime_error, in words for an operator, when it cannot be used.
  explicit OpenedStore(const config::Settings& settings);
  ~OpenedStore();
  OpenedStore(const OpenedStore&) = delete;
  OpenedStore& operator=(const OpenedStore&) = delete;

  void run(std::function<asio::awaitable<void>()> work);  // to its end; throws what it throws
  token_store::Store& store() { return *store_; }
  asio::io_context& io() { return io_; }
  const std::vector<token_store::Grant>& grants() const { return grants_; }  // as it was opened

 private:
  asio::awaitable<void> open();

  asio::io_context io_;
  std::unique_ptr<redis::Client> redis_;
  std::unique_ptr<token_store::Store> store_;
  std::vector<token_store::Grant> grants_;
};

}  // namespace gateway::cli
