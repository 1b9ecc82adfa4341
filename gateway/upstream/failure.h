// Why an attempt gave no answer, from what libcurl knows about it. Pure.
#pragma once

#include <curl/curl.h>

#include <optional>
#include <string_view>

#include "gateway/upstream/answer.h"

namespace gateway::upstream {

struct Ending {
  CURLcode code = CURLE_OK;
  bool sent = false;            // a byte of the request was handed to the connection
  bool repeat_refused = false;  // libcurl wanted to send it a second time
  bool head_done = false;       // a whole head had arrived
  std::optional<Answer::Fault> fault;
  std::string_view message;  // libcurl's buffer: may hold host names, so it is only searched, never passed on
  int system_error = 0;      // errno of a failed connect; 0: none
  long verify_result = 0;    // X509_V_…; 0: the chain was good
};

Failed classify(const Ending& ending);

}  // namespace gateway::upstream
