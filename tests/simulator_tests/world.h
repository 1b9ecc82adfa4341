// A simulator on a clock that tests turn by hand, and the schemas of the vendor's documents.
#pragma once

#include <string>

#include "tests/simulator/simulator.h"

namespace simulator_tests {

inline constexpr const char* kToken = "Bearer simulator-token";
inline constexpr const char* kFirst = "/contacts/contact0000000000001";

// Options like the program's with no flags: one location, one token, 25 contacts.
simulator::Options default_options();

class Bench {
 public:
  explicit Bench(simulator::Options options = default_options(), simulator::EventSink* sink = nullptr);

  // Admits and performs; a refused call gets its refusal.
  simulator::Answer ask(simulator::Call call);
  simulator::Answer ask(const std::string& method, const std::string& target, const std::string& body = "");
  simulator::Document json(const std::string& method, const std::string& target, const std::string& body = "");
  simulator::Document control(const std::string& method, const std::string& target, const std::string& body = "");

  std::chrono::microseconds now{1'000'000};
  std::string version = "2021-07-28";
  std::string authorization = kToken;

 private:
  simulator::Call call(const std::string& method, const std::string& target, const std::string& body) const;
  simulator::Simulator simulator_;
};

// The documents' answers ("2021-07-28" or "v3"), from documents.json beside this file.
const simulator::Value& documents(const char* version);
// What is wrong with `body` under the schema of that name; empty where it fits.
std::string misfit(const char* version, const char* schema, const std::string& body);

}  // namespace simulator_tests
