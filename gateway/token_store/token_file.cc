#include "gateway/token_store/token_file.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <stdexcept>

#include "gateway/config/read_text_file.h"
#include "gateway/fault_point.h"
#include "gateway/log/log.h"
#include "gateway/token_store/sealed.h"

namespace gateway::token_store {

namespace {

constexpr std::string_view kFormat = "contacts-gateway tokens 1";

[[noreturn]] void refuse(const std::filesystem::path& path, std::string_view what, int error) {
  throw std::runtime_error("credentials.oauth.store: " + path.string() + " " + std::string(what) + ": " +
                           std::strerror(error));
}

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (fd_ < 0) refuse(path, "cannot be opened", errno);
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

bool set_lock(int fd, off_t byte, bool wait) {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = byte;
  range.l_len = 1;
  int result = 0;
  do {
    result = ::fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &range);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno != EAGAIN && errno != EACCES)
    throw std::runtime_error(std::string("credentials.oauth.store: cannot be locked: ") + std::strerror(errno));
  return result == 0;
}

void write_all(const Descriptor& file, const std::filesystem::path& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse(path, "cannot be written", errno);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void sync(const Descriptor& file, const std::filesystem::path& path) {
  if (::fsync(file.get()) != 0) refuse(path, "cannot be synced", errno);
}

std::string to_text(const TokenFile::Texts& texts) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
  const auto text = [&](std::string_view value) {
    json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  json.StartObject();
  json.Key("format"), text(kFormat);
  json.Key("grants"), json.StartObject();
  for (const auto& [id, grant] : texts) json.Key(id.c_str()), text(grant);
  json.EndObject();
  json.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

std::optional<TokenFile::Texts> from_text(const std::string& text) {
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (json.HasParseError() || !json.IsObject() || !json.HasMember("format") || json["format"] != kFormat.data() ||
      !json.HasMember("grants") || !json["grants"].IsObject())
    return std::nullopt;
  TokenFile::Texts texts;
  for (const auto& member : json["grants"].GetObject()) {
    if (!member.value.IsString()) return std::nullopt;
    texts[member.name.GetString()] = std::string(member.value.GetString(), member.value.GetStringLength());
  }
  return texts;
}

bool is_there(const std::filesystem::path& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0;
}

}  // namespace

FileLock::~FileLock() { ::close(fd_); }

TokenFile::TokenFile(std::filesystem::path path) : path_(std::filesystem::absolute(std::move(path))) {}

std::filesystem::path TokenFile::beside(const char* ending) const { return path_.string() + ending; }

off_t TokenFile::renewal_of(const std::string& id) {
  constexpr std::size_t kBytes = 1u << 30;
  return static_cast<off_t>(2 + std::hash<std::string>{}(id) % kBytes);
}

std::unique_ptr<FileLock> TokenFile::try_lock(off_t byte) const {
  Descriptor file(beside(".lock"), O_RDWR | O_CREAT | O_NOFOLLOW);
  if (!set_lock(file.get(), byte, false)) return nullptr;
  return std::make_unique<FileLock>(file.release());
}

std::unique_ptr<FileLock> TokenFile::lock(off_t byte) const {
  Descriptor file(beside(".lock"), O_RDWR | O_CREAT | O_NOFOLLOW);
  set_lock(file.get(), byte, true);
  return std::make_unique<FileLock>(file.release());
}

std::unique_ptr<FileLock> TokenFile::adopt(int fd) const {
  struct stat inherited {
  }, own{};
  if (fd < 0 || ::fstat(fd, &inherited) != 0 || ::stat(beside(".lock").c_str(), &own) != 0) return nullptr;
  if (inherited.st_dev != own.st_dev || inherited.st_ino != own.st_ino) return nullptr;
  if (!set_lock(fd, kOwner, false)) return nullptr;  // the lock is this description's, or free
  return std::make_unique<FileLock>(fd);
}

TokenFile::Texts TokenFile::read() const {
  if (!is_there(path_)) return {};
  std::string text = config::read_text_file(path_.string());
  auto texts = from_text(text);
  OPENSSL_cleanse(text.data(), text.size());
  if (!texts)
    throw std::runtime_error("credentials.oauth.store: " + path_.string() +
                             " is not a token store that this version writes");
  return std::move(*texts);
}

void TokenFile::replace(const Texts& texts) const {
  const auto aside = beside(".new");
  std::string text = to_text(texts);
  {
    const Descriptor file(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    if (::fchmod(file.get(), 0600) != 0) refuse(aside, "cannot be made private", errno);
    write_all(file, aside, text);
    OPENSSL_cleanse(text.data(), text.size());
    fault_point("store-written");
    sync(file, aside);
  }
  fault_point("store-synced");
  if (::rename(aside.c_str(), path_.c_str()) != 0) refuse(path_, "cannot be replaced", errno);
  fault_point("store-renamed");
  const Descriptor folder(path_.parent_path(), O_RDONLY | O_DIRECTORY);
  sync(folder, path_.parent_path());
}

// One that a backup brought back may be readable for everybody, and would stay so until the next renewal writes it. It
// may be somebody else's, too: then only a copy can be made private, and a store that serves all the same is told of.
void TokenFile::make_private() const {
  struct stat found {};
  if (::stat(path_.c_str(), &found) != 0 || (found.st_mode & 077) == 0) return;
  if (::chmod(path_.c_str(), 0600) == 0) return;
  try {
    replace(read());
  } catch (const std::exception&) {
    log::warn("token_file_not_private", {{"file", std::string_view(path_.native())}});
  }
}

void TokenFile::recover() const {
  make_private();
  const auto aside = beside(".new");
  if (!is_there(aside)) return;
  std::string text = config::read_text_file(aside.string());
  const auto written = from_text(text);
  OPENSSL_cleanse(text.data(), text.size());
  auto texts = read();
  bool more = false;
  for (const auto& [id, grant] : written.value_or(Texts{})) {
    const auto known = texts.find(id);
    if (known != texts.end() && version_of(known->second) >= version_of(grant)) continue;
    texts[id] = grant;
    more = true;
  }
  if (more)
    replace(texts);
  else
    ::unlink(aside.c_str());
}

TokenFile::Identity TokenFile::identity() const {
  struct stat found {};
  if (::stat(path_.c_str(), &found) != 0) return {};
  return {found.st_ino, found.st_size, found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec};
}

}  // namespace gateway::token_store
