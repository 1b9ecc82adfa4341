// Notices that files have changed: inotify on their folders (a file that is renamed into place, and Kubernetes' swap of
// the `..data` link, change the folder and not the file), and a look at each of them now and then, for file systems
// that tell nothing. A file is known by what its path leads to: device, inode, size and time of change.
// One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gateway::lifecycle {

class FileWatch {
 public:
  static constexpr std::chrono::seconds kLookEvery{5};

  FileWatch();
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  int fd() const { return inotify_; }  // readable: something happened in a folder; -1 where there is no inotify

  // Watches these and no others. Those that it watched already keep their state, so that no change is missed.
  void set(const std::vector<std::string>& paths);

  // Which have changed since the last look. Looks at each and takes what waits on fd().
  std::vector<std::string> changed();

 private:
  struct Stamp {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t seconds = -1, nanoseconds = 0;  // -1: there is no such file
    bool operator==(const Stamp&) const = default;
  };
  static Stamp look_at(const std::string& path);
  void watch_folders() const;

  int inotify_ = -1;
  std::map<std::string, Stamp> files_;
};

}  // namespace gateway::lifecycle
