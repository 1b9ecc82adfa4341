#include "gateway/token_store/open_store.h"

#include <stdexcept>

#include "gateway/token_store/file_store.h"
#include "gateway/token_store/redis_store.h"

namespace gateway::token_store {

std::unique_ptr<Store> open_store(asio::io_context& io, const config::Settings& settings, redis::Client* redis,
                                  bool owner) {
  constexpr std::string_view kFile = "file:";
  const auto& oauth = settings.credentials.oauth;
  Sealed sealed(oauth.store_key);
  if (oauth.store.starts_with(kFile))
    return std::make_unique<FileStore>(io, oauth.store.substr(kFile.size()), std::move(sealed), owner);
  if (redis == nullptr) throw std::runtime_error("credentials.oauth.store: redis needs redis.url");
  return std::make_unique<RedisStore>(io, *redis, std::move(sealed));
}

}  // namespace gateway::token_store
