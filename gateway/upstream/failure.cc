#include "gateway/upstream/failure.h"

#include <openssl/x509.h>

#include <system_error>

namespace gateway::upstream {

namespace {

bool is_certificate(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR ||
         code == CURLE_SSL_INVALIDCERTSTATUS;
}

bool is_tls(CURLcode code) {
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CLIENTCERT:
      return true;
    default:
      return false;
  }
}

Failure before_sending(const Ending& ending) {
  if (ending.code == CURLE_COULDNT_RESOLVE_HOST || ending.code == CURLE_COULDNT_RESOLVE_PROXY) return Failure::Resolve;
  if (ending.code == CURLE_OPERATION_TIMEDOUT) return Failure::ConnectTimeout;
  if (is_certificate(ending.code)) return Failure::Certificate;
  return is_tls(ending.code) ? Failure::Tls : Failure::Connect;
}

Failure after_sending(const Ending& ending) {
  switch (ending.code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Failure::Timeout;
    case CURLE_OUT_OF_MEMORY:
      return ending.head_done ? Failure::Protocol : Failure::TooLarge;  // a line past 100 KiB
    case CURLE_UNSUPPORTED_PROTOCOL:                                    // no status line: HTTP/0.9 or no HTTP at all
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
      return Failure::Protocol;
    default:
      break;
  }
  return ending.message.find("chunk") != ending.message.npos ? Failure::Protocol : Failure::Reset;
}

std::string_view words(Answer::Fault fault) {
  switch (fault) {
    case Answer::Fault::FieldsTooLarge:
      return "the answer's fields are over the limit";
    case Answer::Fault::BodyTooLarge:
      return "the answer's body is over the limit";
    case Answer::Fault::BadLength:
      return "the answer's Content-Length is not one number";
    case Answer::Fault::BadStatus:
      return "the answer's status is none that was asked for";
  }
  return "";
}

Failure meaning(Answer::Fault fault) {
  const bool size = fault == Answer::Fault::FieldsTooLarge || fault == Answer::Fault::BodyTooLarge;
  return size ? Failure::TooLarge : Failure::Protocol;
}

std::string detail(const Ending& ending, Failure failure) {
  if (ending.repeat_refused) return "the pooled connection closed before an answer";
  std::string text = curl_easy_strerror(ending.code);
  if (failure == Failure::Connect && ending.system_error != 0)
    text += ": " + std::generic_category().message(ending.system_error);
  if (failure == Failure::Certificate && ending.message.find("subject name") != ending.message.npos)
    text += ": the certificate is for another host name";
  else if (failure == Failure::Certificate && ending.verify_result != X509_V_OK)
    text.append(": ").append(X509_verify_cert_error_string(ending.verify_result));
  return text;
}

}  // namespace

std::string_view to_string(Failure failure) {
  switch (failure) {
    case Failure::Unsendable:
      return "unsendable";
    case Failure::Resolve:
      return "resolve";
    case Failure::Connect:
      return "connect";
    case Failure::ConnectTimeout:
      return "connect_timeout";
    case Failure::Tls:
      return "tls";
    case Failure::Certificate:
      return "certificate";
    case Failure::Timeout:
      return "timeout";
    case Failure::Reset:
      return "reset";
    case Failure::Protocol:
      return "protocol";
    case Failure::TooLarge:
      return "too_large";
  }
  return "";
}

bool surely_not_applied(Failure failure) {
  switch (failure) {
    case Failure::Unsendable:
    case Failure::Resolve:
    case Failure::Connect:
    case Failure::ConnectTimeout:
    case Failure::Tls:
    case Failure::Certificate:
      return true;
    case Failure::Timeout:
    case Failure::Reset:
    case Failure::Protocol:
    case Failure::TooLarge:
      return false;
  }
  return false;
}

Failed classify(const Ending& ending) {
  if (ending.fault) return {meaning(*ending.fault), std::string(words(*ending.fault))};
  const Failure failure = ending.sent ? after_sending(ending) : before_sending(ending);
  return {failure, detail(ending, failure)};
}

}  // namespace gateway::upstream
