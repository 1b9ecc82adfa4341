// One OTLP request after another over libcurl, on the tracer's thread alone: it blocks.
#pragma once

#include <chrono>
#include <string>

#include "gateway/tracing/tracer.h"

namespace gateway::tracing {

class Tracer::Sender {
 public:
  enum class Result { Taken, TryAgain, Refused };

  explicit Sender(std::string url);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  Result post(const std::string& body, std::chrono::milliseconds timeout);

 private:
  void* curl_;     // CURL
  void* headers_;  // curl_slist
};

}  // namespace gateway::tracing
