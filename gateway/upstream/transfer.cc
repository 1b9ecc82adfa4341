#include "gateway/upstream/transfer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "gateway/upstream/failure.h"
#include "gateway/upstream/request_lines.h"

namespace gateway::upstream {

namespace {

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (curl_easy_setopt(easy, option, value) == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
}

template <class Value>
Value info(CURL* easy, CURLINFO which, Value otherwise) {
  Value value = otherwise;
  return curl_easy_getinfo(easy, which, &value) == CURLE_OK ? value : otherwise;
}

int version_number(long version) {
  if (version == CURL_HTTP_VERSION_1_0) return 10;
  return version == CURL_HTTP_VERSION_2_0 ? 20 : 11;
}

}  // namespace

Transfer::Transfer(const Common& common) : common_(common), easy_(curl_easy_init(), &curl_easy_cleanup) {
  if (!easy_) throw std::bad_alloc();
  set_fixed_options();
}

void Transfer::set_fixed_options() {
  CURL* easy = easy_.get();
  const Options& options = common_.options;
  set(easy, CURLOPT_PRIVATE, this);
  set(easy, CURLOPT_CURLU, common_.origin);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_SHARE, common_.share);
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  set(easy, CURLOPT_MAXAGE_CONN, static_cast<long>(options.idle.count()));
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_QUICK_EXIT, 1L);       // else giving up on a name blocks this thread until getaddrinfo() returns
  set(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);  // the target goes out as it is, never in a proxy's form
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (common_.base.loopback) set(easy, CURLOPT_NOPROXY, "*");
  if (!options.ca_file.empty()) set(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  set(easy, CURLOPT_ERRORBUFFER, message_.data());
  set(easy, CURLOPT_HEADERFUNCTION, &Transfer::on_line);
  set(easy, CURLOPT_HEADERDATA, this);
  set(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_bytes);
  set(easy, CURLOPT_WRITEDATA, this);
  set(easy, CURLOPT_PREREQFUNCTION, &Transfer::on_ready_to_send);
  set(easy, CURLOPT_PREREQDATA, this);
  set(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_open);
  set(easy, CURLOPT_OPENSOCKETDATA, this);
  set(easy, CURLOPT_CLOSESOCKETFUNCTION, &Transfer::on_close);
  set(easy, CURLOPT_CLOSESOCKETDATA, common_.multi);  // a connection outlives the transfer that opened it
}

void Transfer::begin(Request request) {
  request_ = std::move(request);
  const Options& options = common_.options;
  begun_ = std::chrono::steady_clock::now();
  ready_ = repeat_refused_ = false;
  message_[0] = '\0';
  answer_.emplace(options.answer_bytes, options.answer_field_bytes, request_.method != "HEAD");
  for (const auto& line : request_lines(request_)) {
    curl_slist* longer = curl_slist_append(lines_.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    if (!lines_) lines_.reset(longer);
  }
  CURL* easy = easy_.get();
  set_method(carries_body(request_));
  set(easy, CURLOPT_HTTPHEADER, lines_.get());
  set(easy, CURLOPT_REQUEST_TARGET, (common_.base.prefix + request_.target).c_str());
  const auto limit = request_.timeout.count() > 0 ? std::min(request_.timeout, options.timeout) : options.timeout;
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
}

void Transfer::set_method(bool with_body) {
  CURL* easy = easy_.get();
  set(easy, CURLOPT_POSTFIELDS, with_body && request_.body ? request_.body->data() : "");  // not copied
  set(easy, CURLOPT_POSTFIELDSIZE_LARGE,
      static_cast<curl_off_t>(with_body && request_.body ? request_.body->size() : 0));
  if (request_.method == "HEAD")
    set(easy, CURLOPT_NOBODY, 1L);  // a body would mean nothing and is not sent
  else
    set(easy, with_body ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
  set(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

std::size_t Transfer::on_line(char* text, std::size_t size, std::size_t count, void* self) noexcept try {
  return static_cast<Transfer*>(self)->answer_->line({text, size * count}) ? size * count : 0;
} catch (const std::bad_alloc&) {
  return 0;
}

std::size_t Transfer::on_bytes(char* text, std::size_t size, std::size_t count, void* self) noexcept try {
  return static_cast<Transfer*>(self)->answer_->bytes({text, size * count}) ? size * count : 0;
} catch (const std::bad_alloc&) {
  return 0;
}

int Transfer::on_ready_to_send(void* self, char*, char*, int, int) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.repeat_refused_ = transfer.ready_;
  transfer.ready_ = true;
  return transfer.repeat_refused_ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

curl_socket_t Transfer::on_open(void* self, curlsocktype, curl_sockaddr* address) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.ready_) {  // for a repetition: refused before it costs a connection
    transfer.repeat_refused_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int Transfer::on_close(void* multi, curl_socket_t descriptor) noexcept {
  static_cast<Multi*>(multi)->forget(descriptor);
  return ::close(descriptor);
}

Failed Transfer::failed(CURLcode code) const {
  CURL* easy = easy_.get();
  return classify({.code = code,
                   .sent = ready_ && info(easy, CURLINFO_REQUEST_SIZE, 1L) > 0,
                   .repeat_refused = repeat_refused_,
                   .head_done = answer_->head_done(),
                   .fault = answer_->fault(),
                   .message = message_.data(),
                   .system_error = static_cast<int>(info(easy, CURLINFO_OS_ERRNO, 0L)),
                   .verify_result = info(easy, CURLINFO_SSL_VERIFYRESULT, 0L)});
}

Outcome Transfer::end(CURLcode code) {
  CURL* easy = easy_.get();
  if (code == CURLE_OK && !answer_->head_done()) code = CURLE_GOT_NOTHING;  // libcurl calls half a head a success
  Outcome outcome;
  if (code == CURLE_OK && !answer_->fault()) {
    Response response = answer_->take();
    response.http_version = version_number(info(easy, CURLINFO_HTTP_VERSION, 0L));
    outcome.result = std::move(response);
  } else {
    outcome.result = failed(code);
  }
  outcome.reused_connection = ready_ && info(easy, CURLINFO_NUM_CONNECTS, 0L) == 0;
  outcome.total = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun_);
  drop();
  return outcome;
}

void Transfer::drop() {
  CURL* easy = easy_.get();
  set(easy, CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  set(easy, CURLOPT_POSTFIELDS, "");
  lines_.reset();
  answer_.reset();
  request_ = {};
}

}  // namespace gateway::upstream
