#include "gateway/cli/export_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "policies/json_slices.h"

namespace gateway::cli {

namespace {

constexpr std::size_t kBuffer = 256 * 1024;
constexpr std::uint64_t kBlock = 64 * 1024;

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  throw std::runtime_error("cannot " + what + " " + path + ": " + std::generic_category().message(errno));
}

// The cursor of a record's line; empty where it is none: torn, or not written whole before the machine went down.
std::string cursor_of(std::string_view line) {
  const auto value = policies::json_member(line, "cursor");
  const bool record = policies::json_member(line, "contact").has_value();
  return record && value && value->size() > 2 && value->front() == '"'
             ? std::string(value->substr(1, value->size() - 2))
             : std::string();
}

}  // namespace

ExportFile::ExportFile(std::string path) : path_(std::move(path)), part_(path_ + ".part") {
  fd_ = ::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) fail("open", part_);
  try {
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0)
      throw std::runtime_error(part_ + " is in use: another export is writing it");
    find_end();
    if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) fail("cut", part_);
    if (::lseek(fd_, static_cast<off_t>(size_), SEEK_SET) < 0) fail("seek in", part_);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

ExportFile::~ExportFile() {
  if (fd_ >= 0) ::close(fd_);
}

// From the end backwards, a block at a time, until a line is a record.
void ExportFile::find_end() {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) fail("look at", part_);
  auto begin = static_cast<std::uint64_t>(status.st_size);
  std::string tail;     // of the file, from `begin` on
  std::size_t end = 0;  // of the lines in `tail` that may be whole
  bool first = true;
  while (begin > 0) {
    const std::uint64_t size = std::min(begin, kBlock);
    std::string block(size, '\0');
    if (::pread(fd_, block.data(), size, static_cast<off_t>(begin - size)) != static_cast<ssize_t>(size))
      fail("read", part_);
    begin -= size;
    tail.insert(0, block);
    end = first ? tail.size() : end + size;
    first = false;
    for (;;) {
      const auto newline = tail.rfind('\n', end == 0 ? 0 : end - 1);
      if (newline == std::string::npos || newline >= end) break;
      const auto before = newline == 0 ? std::string::npos : tail.rfind('\n', newline - 1);
      if (before == std::string::npos && begin > 0) break;  // its beginning is in the block before
      const std::size_t start = before == std::string::npos ? 0 : before + 1;
      cursor_ = cursor_of(std::string_view(tail).substr(start, newline - start));
      if (!cursor_.empty()) {
        size_ = begin + newline + 1;
        return;
      }
      end = newline;
      if (end == 0) break;
    }
  }
}

void ExportFile::append(std::string_view line, std::string cursor) {
  buffer_.append(line);
  cursor_ = std::move(cursor);
  if (buffer_.size() >= kBuffer) flush();
}

void ExportFile::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const auto written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", part_);
    rest.remove_prefix(static_cast<std::size_t>(written));
    size_ += static_cast<std::uint64_t>(written);
  }
  buffer_.clear();
}

void ExportFile::finish() {
  flush();
  if (::fsync(fd_) != 0) fail("sync", part_);
  if (::rename(part_.c_str(), path_.c_str()) != 0) fail("rename", part_);
  const auto folder = std::filesystem::path(path_).parent_path();
  const int directory = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) fail("open", folder.string());
  const bool synced = ::fsync(directory) == 0;
  ::close(directory);
  if (!synced) fail("sync", folder.string());
}

}  // namespace gateway::cli
