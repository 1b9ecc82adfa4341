#include "gateway/token_store/file_store.h"

#include <fcntl.h>

#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "gateway/log/failure.h"

namespace gateway::token_store {

namespace {

struct FileLease final : Lease {
  explicit FileLease(std::unique_ptr<FileLock> held) : lock(std::move(held)) {}
  std::unique_ptr<FileLock> lock;
};

int inherited_lock() {
  const char* given = std::getenv(FileStore::kLockFd);
  int fd = -1;
  if (given != nullptr) std::from_chars(given, given + std::strlen(given), fd);
  return fd;
}

template <typename Function>
asio::awaitable<std::invoke_result_t<Function>> on_thread(asio::thread_pool& thread, Function function) {
  using Result = std::invoke_result_t<Function>;
  co_return co_await asio::co_spawn(
      thread.get_executor(),
      [function = std::move(function)]() mutable -> asio::awaitable<Result> { co_return function(); },
      asio::use_awaitable);
}

}  // namespace

struct FileStore::Files {
  TokenFile file;
  Sealed sealed;

  std::vector<Grant> load() const {
    std::vector<Grant> grants;
    for (const auto& [id, text] : file.read()) grants.push_back(sealed.open(id, text));
    return grants;
  }

  LoadResult try_load() const try { return load(); } catch (const std::runtime_error& e) {
    return Failure{e.what(), false};
  }

  LockResult try_lock(const std::string& id) const try {
    auto lock = file.try_lock(TokenFile::renewal_of(id));
    if (!lock) return Busy{};
    Locked locked{std::make_shared<FileLease>(std::move(lock)), std::nullopt};
    const auto texts = file.read();
    if (const auto found = texts.find(id); found != texts.end()) locked.stored = sealed.open(id, found->second);
    return locked;
  } catch (const std::runtime_error& e) {
    return Failure{e.what(), false};
  }

  SaveResult try_save(const Grant& grant) const try {
    const auto writer = file.lock(TokenFile::kWriter);
    auto texts = file.read();
    if (const auto found = texts.find(grant.id); found != texts.end()) {
      auto stored = sealed.open(grant.id, found->second);
      if (!supersedes(grant, stored)) return Superseded{std::move(stored)};
    }
    texts[grant.id] = sealed.close(grant);
    file.replace(texts);
    return Saved{};
  } catch (const std::runtime_error& e) {
    return Failure{e.what(), true};  // a full disk may pass
  }
};

FileStore::FileStore(asio::io_context& io, std::filesystem::path path, Sealed sealed, bool owner)
    : io_(io), files_(std::make_shared<Files>(Files{TokenFile(std::move(path)), std::move(sealed)})) {
  if (owner) become_owner();
  {
    const auto writer = files_->file.lock(TokenFile::kWriter);
    files_->file.recover();
  }
  files_->load();
}

void FileStore::become_owner() {
  owner_ = files_->file.adopt(inherited_lock());
  if (!owner_) owner_ = files_->file.try_lock(TokenFile::kOwner);
  if (!owner_)
    throw std::runtime_error("credentials.oauth.store: another gateway uses " + files_->file.path().string() +
                             "; give this one a file of its own, or let both use redis");
  ::fcntl(owner_->fd(), F_SETFD, 0);  // a take-over's process inherits it
  ::setenv(kLockFd, std::to_string(owner_->fd()).c_str(), 1);
}

FileStore::~FileStore() {
  stop();
  thread_.join();
}

void FileStore::start(std::function<void()> on_change) {
  pause_ = std::make_shared<asio::steady_timer>(io_);
  asio::co_spawn(io_, watch(files_, pause_, std::move(on_change)), log::logged("token_store_watch_failed"));
}

void FileStore::stop() {
  if (pause_) pause_->cancel();
  pause_.reset();
}

// `authorize` writes into it while the gateway runs.
asio::awaitable<void> FileStore::watch(std::shared_ptr<Files> files, std::shared_ptr<asio::steady_timer> pause,
                                       std::function<void()> on_change) {
  constexpr std::chrono::milliseconds kLookEvery{500};
  auto seen = files->file.identity();
  for (;;) {
    asio::error_code cancelled;
    pause->expires_after(kLookEvery);
    co_await pause->async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    if (cancelled) co_return;
    const auto now = files->file.identity();
    if (now == seen) continue;
    seen = now;
    on_change();
  }
}

asio::awaitable<LoadResult> FileStore::load() {
  co_return co_await on_thread(thread_, [files = files_] { return files->try_load(); });
}

asio::awaitable<LockResult> FileStore::lock(std::string id) {
  co_return co_await on_thread(thread_, [files = files_, id = std::move(id)] { return files->try_lock(id); });
}

asio::awaitable<SaveResult> FileStore::save(Grant grant) {
  co_return co_await on_thread(thread_, [files = files_, grant = std::move(grant)] { return files->try_save(grant); });
}

}  // namespace gateway::token_store
