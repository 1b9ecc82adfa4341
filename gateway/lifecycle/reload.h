// New settings for a running gateway: the settings file on SIGHUP, secrets and certificates as soon as their files
// change. What is wrong is refused whole, with a line for each thing that is wrong, and the old settings stay; what
// needs a restart stays as it was, and a line says so. Nothing is interrupted: see exchange/in_force.h and
// Server::set_tls.
//
// One thread; refused() and applied() may be read by any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/load.h"
#include "gateway/server/tls.h"

namespace gateway::lifecycle {

class Reload {
 public:
  struct Apply {
    // Throws std::runtime_error, changing nothing, when it cannot.
    std::function<void(std::shared_ptr<const config::Settings>)> settings;
    std::function<void(std::shared_ptr<const server::TlsContext>)> tls;
  };

  Reload(config::Inputs inputs, config::Loaded running, Apply apply);

  void settings_file();                                       // everything anew
  void files_changed(const std::vector<std::string>& paths);  // of files()
  std::vector<std::string> files() const;                     // those to be watched

  std::uint64_t applied() const { return applied_; }
  std::uint64_t refused() const { return refused_; }

 private:
  void load(std::string_view cause, const config::Inputs& inputs, bool tls_anew);
  void take(std::string_view cause, config::Loaded loaded, bool tls_anew);
  std::shared_ptr<const server::TlsContext> new_tls(const config::Settings& wanted) const;
  void refuse(std::string_view cause, const config::Problems& problems);

  config::Inputs inputs_;
  config::Loaded running_;
  Apply apply_;
  std::atomic<std::uint64_t> applied_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace gateway::lifecycle
