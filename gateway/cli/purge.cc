#include <curl/curl.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <memory>
#include <ostream>
#include <stdexcept>

#include "gateway/cli/commands.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/read_text_file.h"

namespace gateway::cli {

namespace {

std::string body_of(const PurgeRequest& request) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
  const auto string = [&](const std::string& text) {
    json.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  };
  json.StartObject();
  if (request.all) json.Key("all"), json.Bool(true);
  if (!request.location.empty()) json.Key("location"), string(request.location);
  if (!request.keys.empty()) {
    json.Key("keys"), json.StartArray();
    for (const auto& key : request.keys) string(key);
    json.EndArray();
  }
  json.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

struct Curl {
  CURL* handle = curl_easy_init();
  curl_slist* fields = nullptr;
  ~Curl() { curl_slist_free_all(fields), curl_easy_cleanup(handle); }
};

std::size_t append(char* data, std::size_t size, std::size_t count, void* to) {
  static_cast<std::string*>(to)->append(data, size * count);
  return size * count;
}

struct Answer {
  CURLcode result = CURLE_OK;
  long status = 0;
  std::string body;
};

Answer post(const std::string& address, const std::string& body, const std::string& key) {
  constexpr long kSeconds = 30;
  constexpr std::string_view kUnix = "unix:";
  Curl curl;
  Answer answer;
  const bool local = address.starts_with(kUnix);
  curl_easy_setopt(curl.handle, CURLOPT_URL, ("http://" + (local ? "localhost" : address) + "/cache/purge").c_str());
  if (local) curl_easy_setopt(curl.handle, CURLOPT_UNIX_SOCKET_PATH, address.c_str() + kUnix.size());
  curl_easy_setopt(curl.handle, CURLOPT_PROXY, "");
  curl_easy_setopt(curl.handle, CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(curl.handle, CURLOPT_TIMEOUT, kSeconds);
  curl_easy_setopt(curl.handle, CURLOPT_NOSIGNAL, 1L);
  curl.fields = curl_slist_append(curl.fields, "Content-Type: application/json");
  if (!key.empty()) curl.fields = curl_slist_append(curl.fields, ("Authorization: Bearer " + key).c_str());
  curl_easy_setopt(curl.handle, CURLOPT_HTTPHEADER, curl.fields);
  curl_easy_setopt(curl.handle, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.handle, CURLOPT_WRITEDATA, &answer.body);
  answer.result = curl_easy_perform(curl.handle);
  curl_easy_getinfo(curl.handle, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

std::string read_key(const std::string& path) {
  if (path.empty()) return {};
  std::string key = config::read_text_file(path);
  while (key.ends_with('\n') || key.ends_with('\r')) key.pop_back();
  return key;
}

}  // namespace

int purge(const config::Inputs& inputs, const PurgeRequest& request, std::ostream& out, std::ostream& errors) try {
  const int named = (request.all ? 1 : 0) + (request.location.empty() ? 0 : 1) + (request.keys.empty() ? 0 : 1);
  if (named != 1) {
    errors << "contacts-gateway: purge takes exactly one of --key KEY (may be repeated), --location ID and --all\n";
    return kInvalid;
  }
  const auto loaded = load_settings(inputs, false, errors);
  if (!loaded) return kInvalid;
  const std::string& address = loaded->settings->admin.listen;
  const Answer answer = post(address, body_of(request), read_key(request.admin_key_file));
  if (answer.result != CURLE_OK) {
    errors << "contacts-gateway: the admin address " << address
           << " does not answer: " << curl_easy_strerror(answer.result) << '\n';
    return kFailed;
  }
  (answer.status == 200 ? out : errors) << answer.body << (answer.body.ends_with('\n') ? "" : "\n");
  return answer.status == 200 ? kDone : kFailed;
} catch (const std::runtime_error& e) {
  errors << "contacts-gateway: " << e.what() << '\n';
  return kInvalid;
}

}  // namespace gateway::cli
