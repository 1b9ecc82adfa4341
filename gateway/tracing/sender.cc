#include "gateway/tracing/sender.h"

#include <curl/curl.h>

#include <algorithm>
#include <stdexcept>

namespace gateway::tracing {

namespace {

// What the collector says in its answer's body is not looked at.
std::size_t discard(char*, std::size_t size, std::size_t count, void*) { return size * count; }

bool on_loopback(const std::string& url) {
  for (const char* host : {"://127.", "://localhost", "://[::1]"})
    if (url.find(host) != std::string::npos) return true;
  return false;
}

}  // namespace

Tracer::Sender::Sender(std::string url) : curl_(::curl_easy_init()), headers_(nullptr) {
  if (curl_ == nullptr) throw std::runtime_error("libcurl cannot be used for tracing");
  headers_ = ::curl_slist_append(nullptr, "Content-Type: application/json");
  headers_ = ::curl_slist_append(static_cast<curl_slist*>(headers_), "Expect:");
  ::curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, static_cast<curl_slist*>(headers_));
  ::curl_easy_setopt(curl_, CURLOPT_USERAGENT, "contacts-gateway/" GATEWAY_VERSION);
  ::curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
  ::curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, &discard);
  if (on_loopback(url)) ::curl_easy_setopt(curl_, CURLOPT_NOPROXY, "*");
}

Tracer::Sender::~Sender() {
  ::curl_easy_cleanup(curl_);
  ::curl_slist_free_all(static_cast<curl_slist*>(headers_));
}

Tracer::Sender::Result Tracer::Sender::post(const std::string& body, std::chrono::milliseconds timeout) {
  const long limit = std::max<long>(1, static_cast<long>(timeout.count()));
  ::curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, limit);
  ::curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT_MS, limit);
  ::curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  ::curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body.data());
  if (::curl_easy_perform(curl_) != CURLE_OK) return Result::TryAgain;
  long status = 0;
  ::curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return Result::Taken;
  // OTLP specification 1.x, "OTLP/HTTP Response": those that are worth another try.
  return status == 429 || status == 502 || status == 503 || status == 504 ? Result::TryAgain : Result::Refused;
}

}  // namespace gateway::tracing
