#include "gateway/flows/known.h"

#include <openssl/evp.h>

#include <array>

#include "policies/flows/date.h"

namespace gateway::flows {

using policies::flows::Json;
using policies::flows::Object;

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, 32> bytes{};
  EVP_Digest(text.data(), text.size(), bytes.data(), nullptr, EVP_sha256(), nullptr);
  std::string hex;
  for (const auto byte : bytes) hex.append({"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]});
  return hex;
}

std::string run_id(std::string_view event, std::string_view flow) {
  return sha256_hex(std::string(flow) + "\n" + std::string(event)).substr(0, 32);
}

std::string run_ref(std::string_view run) { return "cg-" + std::string(run.substr(0, 12)); }

std::string step_ref(std::string_view run, std::string_view step) { return run_ref(run) + "-" + std::string(step); }

Json known_of(const std::string& run, const Event& event, Json body) {
  Object about{{"id", Json(run)},
               {"ref", Json(run_ref(run))},
               {"time", Json(policies::flows::iso_date_time(event.at))},
               {"kind", Json(event.kind)},
               {"type", Json(event.type)},
               {"source", Json(event.source)},
               {"location", Json(event.location)}};
  return Json(Object{{"event", std::move(body)}, {"run", Json(std::move(about))}, {"steps", Json(Object())}});
}

}  // namespace gateway::flows
