// The edge's TLS as the settings ask for it: the files read into a context, what of it is wrong, and when it ends.
// Any thread.
#pragma once

#include <memory>

#include "gateway/config/given.h"
#include "gateway/config/settings.h"
#include "gateway/server/tls.h"

namespace gateway::lifecycle {

// Null where the settings name no certificate. Throws std::runtime_error that names the file and what is wrong with it.
std::shared_ptr<const server::TlsContext> make_edge_tls(const config::Settings::Server::Tls& files);

// What a start would fail on, as lines for `check`; empty where there is nothing.
config::Problems tls_problems(const config::Settings& settings);

}  // namespace gateway::lifecycle
