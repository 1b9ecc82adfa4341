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
  const AdminRequest call{loaded->settings->admin.listen, "/cache/purge", body_of(request), request.admin_key_file};
  const auto answer = call_admin(call);
  if (answer.status != 200) {
    errors << "contacts-gateway: " << complaint_of(call, answer) << '\n';
    return kFailed;
  }
  out << answer.body << (answer.body.ends_with('\n') ? "" : "\n");
  return kDone;
} catch (const std::runtime_error& e) {
  errors << "contacts-gateway: " << e.what() << '\n';
  return kInvalid;
}

}  // namespace gateway::cli
