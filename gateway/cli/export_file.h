// The file that an export grows in. One thread. Throws std::runtime_error naming the file and the system's reason.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gateway::cli {

class ExportFile {
 public:
  // Opens PATH.part, makes it where it is not there, and drops what follows its last whole record. Locked: a second
  // export to the same file is refused.
  explicit ExportFile(std::string path);
  ~ExportFile();
  ExportFile(const ExportFile&) = delete;
  ExportFile& operator=(const ExportFile&) = delete;

  const std::string& cursor() const { return cursor_; }  // of the last record; empty: none
  std::uint64_t size() const { return size_; }
  const std::string& part() const { return part_; }

  void append(std::string_view line, std::string cursor);  // buffered
  void flush();                                            // to the system, in whole lines
  void finish();                                           // to the disk, then PATH.part becomes PATH

 private:
  void find_end();

  std::string path_, part_, cursor_, buffer_;
  std::uint64_t size_ = 0;
  int fd_ = -1;
};

}  // namespace gateway::cli
