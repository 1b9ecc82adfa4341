// The file of a FileStore and its locks: plain blocking calls, any thread, no state but what is on the disk. Throws
// std::runtime_error, in words for an operator, when the disk does not let it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace gateway::token_store {

// What an open file description holds of PATH.lock; ends with it.
class FileLock {
 public:
  explicit FileLock(int fd) : fd_(fd) {}
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

class TokenFile {
 public:
  using Texts = std::map<std::string, std::string>;  // by grant id

  explicit TokenFile(std::filesystem::path path);

  static constexpr off_t kOwner = 0, kWriter = 1;
  static off_t renewal_of(const std::string& id);        // a byte for each grant, as good as always its own
  std::unique_ptr<FileLock> try_lock(off_t byte) const;  // null: another has it
  std::unique_ptr<FileLock> lock(off_t byte) const;      // waits

  // The inherited lock of a predecessor, if `fd` is one on this very file.
  std::unique_ptr<FileLock> adopt(int fd) const;

  Texts read() const;                      // empty where there is no file
  void replace(const Texts& texts) const;  // durably; the caller has kWriter
  // At opening: takes what PATH.new has more, and sees to it that only its owner can read PATH; the caller has kWriter.
  void recover() const;

  struct Identity {
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t changed = 0;
    bool operator==(const Identity&) const = default;
  };
  Identity identity() const;  // differs when the file was replaced
  const std::filesystem::path& path() const { return path_; }

 private:
  void make_private() const;
  std::filesystem::path beside(const char* ending) const;
  std::filesystem::path path_;
};

}  // namespace gateway::token_store
