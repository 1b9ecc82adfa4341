#include "gateway/lifecycle/reload.h"

#include <algorithm>
#include <ctime>
#include <stdexcept>

#include "gateway/config/checks.h"
#include "gateway/lifecycle/edge_tls.h"
#include "gateway/lifecycle/live_settings.h"
#include "gateway/log/log.h"

namespace gateway::lifecycle {

namespace {

std::string join(const std::vector<std::string_view>& paths) {
  std::string text;
  for (const auto path : paths) text.append(text.empty() ? "" : ", ").append(path);
  return text;
}

std::vector<std::string> tls_files(const config::Settings& settings) {
  const auto& tls = settings.server.tls;
  std::vector<std::string> files;
  for (const auto& file : {tls.certificate, tls.key, tls.client_ca})
    if (!file.empty()) files.push_back(file);
  return files;
}

}  // namespace

Reload::Reload(config::Inputs inputs, config::Loaded running, Apply apply)
    : inputs_(std::move(inputs)), running_(std::move(running)), apply_(std::move(apply)) {}

std::vector<std::string> Reload::files() const {
  auto files = tls_files(*running_.settings);
  files.insert(files.end(), running_.secret_files.begin(), running_.secret_files.end());
  return files;
}

void Reload::settings_file() { load("SIGHUP", inputs_, true); }

// The settings file itself is not among them: whoever edits it sends SIGHUP when it is done.
void Reload::files_changed(const std::vector<std::string>& paths) {
  auto inputs = inputs_;
  inputs.file_text = running_.file_text;
  const auto tls = tls_files(*running_.settings);
  const bool anew = std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
    return std::find(tls.begin(), tls.end(), path) != tls.end();
  });
  load("file change", inputs, anew);
}

void Reload::load(std::string_view cause, const config::Inputs& inputs, bool tls_anew) {
  try {
    auto loaded = config::load(inputs);
    if (const auto problems = config::contradictions(*loaded.settings); !problems.empty())
      return refuse(cause, problems);
    take(cause, std::move(loaded), tls_anew);
  } catch (const config::Invalid& invalid) {
    refuse(cause, invalid.problems());
  } catch (const std::runtime_error& e) {
    refuse(cause, {e.what()});
  }
}

void Reload::take(std::string_view cause, config::Loaded loaded, bool tls_anew) {
  const auto changes = changes_between(*running_.settings, *loaded.settings);
  if (changes.none() && !tls_anew) return;
  auto settings = std::make_shared<const config::Settings>(takeable(*running_.settings, *loaded.settings));
  std::shared_ptr<const server::TlsContext> tls;
  if (tls_anew || settings->server.tls != running_.settings->server.tls) tls = new_tls(*settings);
  // From here on only apply_.settings can refuse, and it has changed nothing when it does.
  if (!changes.live.empty()) apply_.settings(settings);
  if (tls) {
    apply_.tls(tls);
    log::info("tls_certificate", {{"not_after", std::int64_t{tls->not_after()}}});
  }
  if (!changes.restart.empty())
    log::warn("settings_need_restart", {{"paths", join(changes.restart)}, {"cause", cause}});
  log::info("settings_reloaded", {{"changed", join(changes.live)}, {"cause", cause}});
  loaded.settings = std::move(settings);
  running_ = std::move(loaded);
  ++applied_;
}

// Null where there is no TLS. A certificate that is not valid now is no better than the one that is shown.
std::shared_ptr<const server::TlsContext> Reload::new_tls(const config::Settings& wanted) const {
  auto tls = make_edge_tls(wanted.server.tls);
  if (tls && !tls->valid_at(std::time(nullptr)))
    throw std::runtime_error(wanted.server.tls.certificate + ": expected a certificate that is valid now");
  return tls;
}

void Reload::refuse(std::string_view cause, const config::Problems& problems) {
  for (const std::string& problem : problems)
    log::error("settings_refused", {{"why", std::string_view(problem)}, {"cause", cause}});
  ++refused_;
}

}  // namespace gateway::lifecycle
