#include "gateway/cli/export.h"

#include <curl/curl.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <thread>

#include "gateway/cli/exit_code.h"
#include "gateway/cli/export_file.h"
#include "gateway/cli/export_progress.h"
#include "gateway/config/read_text_file.h"
#include "policies/json_slices.h"
#include "policies/json_strings.h"
#include "policies/percent.h"
#include "policies/record.h"

namespace gateway::cli {

namespace {

constexpr int kTriesWithoutProgress = 5;
constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::size_t kLongestLine = 64 * 1024 * 1024;
constexpr long kSilence =
    300;  // seconds without a byte: the gateway is patient with upstream for about a minute a call
constexpr std::string_view kUnix = "unix:";

std::string text_at(std::string_view json, std::string_view path) {
  std::string text;
  policies::json_strings(json, path, [&](std::string_view value) {
    if (text.empty()) text = value;
  });
  return text;
}

// What one request of the stream came to, line by line.
class Receiver {
 public:
  Receiver(ExportFile& file, ProgressView& view) : file_(file), view_(view) {}

  long status = 0;
  bool whole = false;         // its last line said so
  std::uint64_t records = 0;  // of this request
  std::uint64_t lacking = 0;  // those of them without a part that upstream refused
  std::uint64_t done = 0;     // of the export
  std::string refusal;        // the body of what is no 200
  std::string problem;        // of the last line of a stream that went wrong
  std::exception_ptr error;   // of the file

  // False ends the transfer.
  bool take(std::string_view bytes) try {
    if (status != 200) {
      refusal.append(bytes.substr(0, 4096));
      return true;
    }
    rest_.append(bytes);
    std::size_t begin = 0;
    for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
      take_line(std::string_view(rest_).substr(begin, end + 1 - begin));
      begin = end + 1;
    }
    rest_.erase(0, begin);
    if (rest_.size() > kLongestLine) throw std::runtime_error("the gateway sent a line of more than 64 MiB");
    return true;
  } catch (const std::exception&) {
    error = std::current_exception();
    return false;
  }

 private:
  void take_line(std::string_view line) {
    if (line.starts_with("{\"contact\":")) {
      const auto cursor = policies::json_member(line, "cursor");
      if (!cursor || cursor->size() < 3) throw std::runtime_error("the gateway sent a record without a cursor");
      file_.append(line, std::string(cursor->substr(1, cursor->size() - 2)));
      ++records;
      if (policies::json_member(line, "problems")) ++lacking;
    } else if (line.starts_with("{\"progress\":")) {
      show(line);
    } else if (line.starts_with("{\"end\":")) {
      whole = true;
      done = std::strtoull(text_at(line, "end.done").c_str(), nullptr, 10);
    } else if (line.starts_with("{\"problem\":")) {
      problem = line;
    }
  }
  void show(std::string_view line) {
    Progress progress;
    progress.done = std::strtoull(text_at(line, "progress.done").c_str(), nullptr, 10);
    progress.total = std::strtoull(text_at(line, "progress.total").c_str(), nullptr, 10);
    progress.per_second = std::strtod(text_at(line, "progress.per_second").c_str(), nullptr);
    if (const auto left = text_at(line, "progress.seconds_left"); !left.empty())
      progress.seconds_left = std::strtoll(left.c_str(), nullptr, 10);
    file_.flush();
    view_.show(progress, std::chrono::steady_clock::now());
  }

  ExportFile& file_;
  ProgressView& view_;
  std::string rest_;
};

struct Curl {
  CURL* handle = curl_easy_init();
  curl_slist* fields = nullptr;
  Receiver* receiver = nullptr;
  Curl() = default;
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;
  ~Curl() { curl_slist_free_all(fields), curl_easy_cleanup(handle); }
};

std::size_t on_bytes(char* data, std::size_t size, std::size_t count, void* to) {
  auto& curl = *static_cast<Curl*>(to);
  if (curl.receiver->status == 0) curl_easy_getinfo(curl.handle, CURLINFO_RESPONSE_CODE, &curl.receiver->status);
  return curl.receiver->take({data, size * count}) ? size * count : 0;
}

std::string target_of(const ExportRequest& request, const std::string& cursor) {
  std::string target = "/gateway/locations/";
  policies::append_word(target, request.location);
  target += "/records?progress=true";
  if (cursor.empty() || !request.include.empty()) {
    target += "&include=";
    policies::append_word(target, request.include);
  }
  if (!cursor.empty()) target += "&cursor=" + cursor;
  return target;
}

CURLcode receive(const ExportRequest& request, const std::string& key, const std::string& cursor, Receiver& receiver) {
  Curl curl;
  curl.receiver = &receiver;
  const bool local = request.url.starts_with(kUnix);
  std::string base = local ? "http://localhost" : request.url;
  while (base.ends_with('/')) base.pop_back();
  curl_easy_setopt(curl.handle, CURLOPT_URL, (base + target_of(request, cursor)).c_str());
  if (local) curl_easy_setopt(curl.handle, CURLOPT_UNIX_SOCKET_PATH, request.url.c_str() + kUnix.size());
  if (!request.ca_file.empty()) curl_easy_setopt(curl.handle, CURLOPT_CAINFO, request.ca_file.c_str());
  curl_easy_setopt(curl.handle, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
  curl_easy_setopt(curl.handle, CURLOPT_PROXY, "");
  curl_easy_setopt(curl.handle, CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(curl.handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl.handle, CURLOPT_LOW_SPEED_TIME, kSilence);
  curl_easy_setopt(curl.handle, CURLOPT_NOSIGNAL, 1L);
  if (!key.empty()) curl.fields = curl_slist_append(curl.fields, ("Authorization: Bearer " + key).c_str());
  curl_easy_setopt(curl.handle, CURLOPT_HTTPHEADER, curl.fields);
  curl_easy_setopt(curl.handle, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(curl.handle, CURLOPT_WRITEDATA, &curl);
  const CURLcode result = curl_easy_perform(curl.handle);
  curl_easy_getinfo(curl.handle, CURLINFO_RESPONSE_CODE, &receiver.status);
  return result;
}

std::string client_key(const ExportRequest& request) {
  std::string key;
  if (!request.key_file.empty())
    key = config::read_text_file(request.key_file);
  else if (const char* given = std::getenv("CONTACTS_GATEWAY_KEY"))
    key = given;
  while (key.ends_with('\n') || key.ends_with('\r')) key.pop_back();
  return key;
}

// What is wrong with the arguments; empty: nothing.
std::string wrong_with(const ExportRequest& request) {
  if (request.location.empty()) return "export needs --location ID";
  if (request.out.empty()) return "export needs --out FILE";
  if (request.out == "-")
    return "export writes a file, so that it can go on where it was broken off, and not to standard output; for that "
           "ask the gateway for /gateway/locations/ID/records";
  if (!request.url.starts_with("http://") && !request.url.starts_with("https://") && !request.url.starts_with(kUnix))
    return "--url must begin with http://, https:// or unix:";
  const auto parts = policies::parse_parts(request.include);
  if (const auto* unknown = std::get_if<policies::UnknownPart>(&parts))
    return "--include takes " + policies::known_parts() + ", parted by commas, and not '" + unknown->name + "'";
  struct stat status {};
  if (!request.overwrite && ::stat(request.out.c_str(), &status) == 0)
    return request.out + " is there already; --overwrite replaces it once the export is whole";
  return "";
}

std::string told(const Receiver& receiver, CURLcode result) {
  if (!receiver.problem.empty())
    return text_at(receiver.problem, "problem.title") + " (status " + text_at(receiver.problem, "problem.status") + ")";
  if (receiver.status != 0 && receiver.status != 200) {
    const auto title = text_at(receiver.refusal, "title"), detail = text_at(receiver.refusal, "detail");
    return "the gateway answers " + std::to_string(receiver.status) +
           (title.empty() ? "" : ": " + title + (detail.empty() ? "" : ". " + detail));
  }
  return result == CURLE_OK ? "the stream ended too early" : curl_easy_strerror(result);
}

bool is_final(const Receiver& receiver) {
  return receiver.status >= 400 && receiver.status < 500 && receiver.status != 429;
}

int run(const ExportRequest& request, bool bar, std::ostream& errors) {
  ExportFile file(request.out);
  ProgressView view(bar, errors);
  const std::string key = client_key(request);
  if (!file.cursor().empty())
    errors << "going on with " << file.part() << " (" << file.size() << " bytes)" << std::endl;
  std::uint64_t lacking = 0;
  for (int failures = 0;;) {
    Receiver receiver(file, view);
    const CURLcode result = receive(request, key, file.cursor(), receiver);
    view.clear();
    if (receiver.error) std::rethrow_exception(receiver.error);
    file.flush();
    lacking += receiver.lacking;
    if (receiver.whole) {
      file.finish();
      errors << "exported " << receiver.done << " contacts to " << request.out << std::endl;
      if (lacking > 0)
        errors << "contacts-gateway: " << lacking
               << " of those received now lack a part that upstream refused; their \"problems\" say why" << std::endl;
      return kDone;
    }
    failures = receiver.records > 0 ? 1 : failures + 1;
    errors << "contacts-gateway: " << told(receiver, result) << std::endl;
    if (is_final(receiver) || failures == kTriesWithoutProgress) {
      errors << "contacts-gateway: not whole; what came is in " << file.part()
             << ", and the same command goes on from there" << std::endl;
      return kFailed;
    }
    std::this_thread::sleep_for(kFirstPause * (1 << (failures - 1)));
  }
}

}  // namespace

int export_records(const ExportRequest& request, bool bar, std::ostream& errors) try {
  if (const auto wrong = wrong_with(request); !wrong.empty()) {
    errors << "contacts-gateway: " << wrong << std::endl;
    return kInvalid;
  }
  std::signal(SIGXFSZ, SIG_IGN);  // a file over its limit is told like a full disk
  return run(request, bar, errors);
} catch (const std::runtime_error& e) {
  errors << "contacts-gateway: " << e.what() << std::endl;
  return kFailed;
}

}  // namespace gateway::cli
