#include "gateway/lifecycle/file_watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace gateway::lifecycle {

FileWatch::FileWatch() : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {}

FileWatch::~FileWatch() {
  if (inotify_ >= 0) ::close(inotify_);
}

FileWatch::Stamp FileWatch::look_at(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return {};
  return {file.st_dev, file.st_ino, static_cast<std::uint64_t>(file.st_size), file.st_ctim.tv_sec,
          file.st_ctim.tv_nsec};
}

void FileWatch::set(const std::vector<std::string>& paths) {
  std::map<std::string, Stamp> files;
  for (const std::string& path : paths) {
    const auto known = files_.find(path);
    files[path] = known == files_.end() ? look_at(path) : known->second;
  }
  files_ = std::move(files);
  watch_folders();
}

// To watch a folder that is watched already changes nothing; one that was gone and is back is watched again. A folder
// that is of no interest any more stays watched: all that costs is a look.
void FileWatch::watch_folders() const {
  if (inotify_ < 0) return;
  constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_ONLYDIR;
  for (const auto& [path, stamp] : files_) {
    const auto folder = std::filesystem::path(path).parent_path();
    ::inotify_add_watch(inotify_, folder.empty() ? "." : folder.c_str(), kEvents);
  }
}

std::vector<std::string> FileWatch::changed() {
  alignas(inotify_event) char ignored[4096];
  while (inotify_ >= 0 && ::read(inotify_, ignored, sizeof ignored) > 0) {
  }
  std::vector<std::string> changed;
  for (auto& [path, stamp] : files_) {
    const Stamp now = look_at(path);
    if (now == stamp) continue;
    stamp = now;
    changed.push_back(path);
  }
  watch_folders();
  return changed;
}

}  // namespace gateway::lifecycle
