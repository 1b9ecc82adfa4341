#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <ostream>
#include <stdexcept>

#include "gateway/cli/admin_call.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/exit_code.h"

namespace gateway::cli {

namespace {

std::string body_of(const PurgeRequest& request) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
  const auto string = [&](const std::string& text) {
    json.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  };
  json.StartObject();
  if (request.all) json.Key("all"), json.Bool(true);
  if (!request.location.empty()) json.Key("location"), string(request.location);
  if (!request.keys.empty()) {
    json.Key("keys"), json.StartArray();
    for (const auto& key : request.keys) string(key);
    json.EndArray();
  }
  json.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

int purge(const config::Inputs& inputs, const PurgeRequest& request, std::ostream& out, std::ostream& errors) try {
  const int named = (request.all ? 1 : 0) + (request.location.empty() ? 0 : 1) + (request.keys.empty() ? 0 : 1);
  if (named != 1) {
    errors << "contacts-gateway: purge takes exactly one of --key KEY (may be repeated), --location ID and --all\n";
    return kInvalid;
  }
  const auto loaded = load_settings(inputs, false, errors);
  if (!loaded) return kInvalid;
  const std::string& address = loaded->settings->admin.listen;
  const auto answer = call_admin({address, "/cache/purge", body_of(request), request.admin_key_file});
  if (answer.status == 0) {
    errors << "contacts-gateway: the admin address " << address << " does not answer: " << answer.body << '\n';
    return kFailed;
  }
  (answer.status == 200 ? out : errors) << answer.body << (answer.body.ends_with('\n') ? "" : "\n");
  return answer.status == 200 ? kDone : kFailed;
} catch (const std::runtime_error& e) {
  errors << "contacts-gateway: " << e.what() << '\n';
  return kInvalid;
}

}  // namespace gateway::cli
