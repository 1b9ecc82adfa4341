// Grants in one file of this machine. It is written aside as PATH.new (0600), synced, renamed over PATH, and its folder
// synced. PATH.new that a crash left behind is complete or it is not; a complete one with later versions is taken by
// the next start, so that what had been written is not lost to the missing rename.
//
// PATH.lock carries locks on open file descriptions (fcntl OFD), each on a byte of its own:
//   kOwner:     the gateway that uses the store, for as long as it lives. A second one refuses to start. A SIGUSR2
//               take-over inherits the descriptor, and the lock with it.
//   kWriter:    whoever replaces the file, `authorize` included.
//   one a grant: whoever renews it: the predecessor or the successor of a take-over.
// Files are read and written on a thread of its own, since a sync may take long; everything else on the Asio thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <filesystem>

#include "gateway/token_store/sealed.h"
#include "gateway/token_store/store.h"
#include "gateway/token_store/token_file.h"

namespace gateway::token_store {

class FileStore final : public Store {
 public:
  // What a take-over's new process finds the descriptor of the owner's lock under.
  static constexpr const char* kLockFd = "CONTACTS_GATEWAY_STORE_LOCK_FD";

  // `owner`: takes kOwner. Throws std::runtime_error, in words for an operator, when the folder is not there, another
  // gateway uses the file, or what it holds cannot be read with this key.
  FileStore(asio::io_context& io, std::filesystem::path path, Sealed sealed, bool owner);
  ~FileStore() override;

  void start(std::function<void()> on_change) override;
  void stop() override;
  asio::awaitable<LoadResult> load() override;
  asio::awaitable<LockResult> lock(std::string id) override;
  asio::awaitable<SaveResult> save(Grant grant) override;

 private:
  struct Files;
  void become_owner();
  static asio::awaitable<void> watch(std::shared_ptr<Files> files, std::shared_ptr<asio::steady_timer> pause,
                                     std::function<void()> on_change);

  asio::io_context& io_;
  std::shared_ptr<Files> files_;  // what the thread works with
  std::unique_ptr<FileLock> owner_;
  std::shared_ptr<asio::steady_timer> pause_;
  asio::thread_pool thread_{1};
};

}  // namespace gateway::token_store
