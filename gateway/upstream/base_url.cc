#include "gateway/upstream/base_url.h"

#include <curl/curl.h>

#include <memory>
#include <stdexcept>
#include <string_view>

namespace gateway::upstream {

namespace {

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

// Empty where the URL has no such part.
std::string part(const Url& url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK) return {};
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  return text;
}

[[noreturn]] void refuse(const std::string& why) {
  throw std::invalid_argument("upstream URL: expected http(s)://host[:port][/path], " + why);
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "[::1]" || host.starts_with("127.") || host.ends_with(".localhost");
}

}  // namespace

BaseUrl parse_base_url(const std::string& text) {
  const Url url(curl_url(), &curl_url_cleanup);
  if (!url) throw std::bad_alloc();
  if (const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_PATH_AS_IS); code != CURLUE_OK)
    refuse(curl_url_strerror(code));
  const std::string scheme = part(url, CURLUPART_SCHEME);
  const std::string host = part(url, CURLUPART_HOST);
  if (scheme != "http" && scheme != "https") refuse("got the scheme '" + scheme + "'");
  if (host.empty()) refuse("got no host");
  if (!part(url, CURLUPART_USER).empty() || !part(url, CURLUPART_PASSWORD).empty())
    refuse("got a user name or password");
  if (text.find_first_of("?#") != std::string::npos) refuse("got a query or fragment");

  BaseUrl base{scheme + "://" + host + ":" + part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT) + "/",
               part(url, CURLUPART_PATH), is_loopback(host)};
  if (base.prefix.find_first_of(" \t\r\n") != std::string::npos) refuse("got a space in the path");
  while (base.prefix.ends_with('/')) base.prefix.pop_back();
  return base;
}

}  // namespace gateway::upstream
