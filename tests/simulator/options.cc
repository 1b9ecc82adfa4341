#include "tests/simulator/options.h"

#include <charconv>
#include <functional>

namespace simulator {

namespace {

// What is being put together; some of it depends on flags that may come later.
struct Draft {
  CommandLine line;
  std::vector<std::string> locations;
  std::size_t contacts = 25;
};

using Take = std::function<std::string(Draft&, const std::string&)>;  // answers what was expected, or nothing
struct Flag {
  const char* name;
  const char* value;  // how it is shown in --help; empty: a switch
  const char* what;
  Take take;
};

template <typename Number>
bool whole(const std::string& text, Number& into) {
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), into);
  return problem == std::errc() && rest == text.data() + text.size();
}

template <typename Number>
Take number(Number& (*member)(Draft&)) {
  return [member](Draft& draft, const std::string& text) { return whole(text, member(draft)) ? "" : "a whole number"; };
}

template <typename Duration>
Take duration(Duration& (*member)(Draft&)) {
  return [member](Draft& draft, const std::string& text) -> std::string {
    const auto parsed = parse_duration(text);
    if (!parsed) return "a duration: 250ms, 10s, 5m, 24h";
    member(draft) = *parsed;
    return "";
  };
}

Take text(std::string& (*member)(Draft&)) {
  return [member](Draft& draft, const std::string& given) { return member(draft) = given, ""; };
}

Take on(bool& (*member)(Draft&)) {
  return [member](Draft& draft, const std::string&) { return member(draft) = true, ""; };
}

std::string take_location(Draft& draft, const std::string& given) {
  const auto equals = given.find('=');
  const std::string location = given.substr(0, equals);
  if (!well_formed_id(location)) return "ID or ID=TOKEN";
  draft.locations.push_back(location);
  if (equals != std::string::npos)
    draft.line.api.credentials.location_tokens.emplace_back(location, given.substr(equals + 1));
  return "";
}

std::string take_client(Draft& draft, const std::string& given) {
  const auto colon = given.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == given.size()) return "ID:SECRET";
  draft.line.api.credentials.clients.push_back({given.substr(0, colon), given.substr(colon + 1)});
  return "";
}

// "TOKEN=LOCATION" or "TOKEN=company:COMPANY"; the scope is put in when all flags are read.
std::string take_grant(std::vector<std::pair<std::string, Grant>>& into, const std::string& given) {
  const auto equals = given.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == given.size())
    return "VALUE=LOCATION or VALUE=company:ID";
  const std::string target = given.substr(equals + 1);
  Grant grant;
  if (target.starts_with("company:"))
    grant.company = target.substr(8);
  else
    grant.location = target;
  into.emplace_back(given.substr(0, equals), grant);
  return "";
}

std::string take_latency(Draft& draft, const std::string& given) {
  const auto dash = given.find('-');
  const auto least = parse_duration(given.substr(0, dash));
  const auto most = dash == std::string::npos ? least : parse_duration(given.substr(dash + 1));
  if (!least || !most || *most < *least) return "a duration or a range of two: 20ms, 20ms-400ms";
  draft.line.latency = {*least, *most};
  return "";
}

std::string take_window(Draft& draft, const std::string& given) {
  if (given != "sliding" && given != "fixed") return "sliding or fixed";
  draft.line.api.limits.fixed = given == "fixed";
  return "";
}

std::string take_etag(Draft& draft, const std::string& given) {
  if (given != "off" && given != "strong" && given != "weak") return "off, strong or weak";
  draft.line.api.etag = given == "off" ? Etag::Off : given == "strong" ? Etag::Strong : Etag::Weak;
  return "";
}

std::string take_clock(Draft& draft, const std::string& given) {
  if (given != "wall" && given != "logical") return "wall or logical";
  draft.line.api.logical_clock = given == "logical";
  return "";
}

std::string take_not_found(Draft& draft, const std::string& given) {
  if (given != "400" && given != "404") return "400 or 404";
  draft.line.api.world.not_found_status = given == "404" ? 404 : 400;
  return "";
}

std::string take_faults(Draft& draft, const std::string& given) {
  if (given != "on" && given != "off") return "on or off";
  draft.line.api.allow_faults = given == "on";
  return "";
}

std::string take_webhook_url(Draft& draft, const std::string& given) {
  if (!parse_url(given)) return "an http:// URL";
  draft.line.webhooks.url = given;
  return "";
}

const std::vector<Flag>& flags() {
  static const std::vector<Flag> all = {
      {"--listen", "ADDRESS", "127.0.0.1:8090; port 0 picks a free one; [::1]:0 and unix:PATH too; may be repeated",
       [](Draft& draft, const std::string& given) { return draft.line.listen.push_back(given), ""; }},
      {"--threads", "N", "worker threads: 1",
       number<std::size_t>([](Draft& d) -> std::size_t& { return d.line.threads; })},
      {"--seed", "N", "seed of ids, latency and chance: 1",
       number<std::uint64_t>([](Draft& d) -> std::uint64_t& { return d.line.api.world.seed; })},
      {"--token", "TOKEN", "private token for every location: simulator-token where no credentials are given",
       text([](Draft& d) -> std::string& { return d.line.api.credentials.token; })},
      {"--location", "ID[=TOKEN]", "a location and its own private token: loc_demo; may be repeated", take_location},
      {"--contacts", "N", "seeded contacts for each --location: 25",
       number<std::size_t>([](Draft& d) -> std::size_t& { return d.contacts; })},
      {"--oauth-client", "ID:SECRET", "an OAuth app; may be repeated", take_client},
      {"--oauth-code", "CODE=LOCATION",
       "an authorization code that works once; =company:ID for an agency's; may be repeated",
       [](Draft& draft, const std::string& given) { return take_grant(draft.line.codes, given); }},
      {"--refresh-token", "TOKEN=LOCATION",
       "a refresh token that works once; =company:ID for an agency's; may be repeated",
       [](Draft& draft, const std::string& given) { return take_grant(draft.line.refresh_tokens, given); }},
      {"--access-token-life", "DURATION", "of OAuth access tokens: 86399s",
       duration<std::chrono::milliseconds>(
           [](Draft& d) -> std::chrono::milliseconds& { return d.line.api.credentials.access_token_life; })},
      {"--scope", "SCOPES", "of every token: those of every operation",
       text([](Draft& d) -> std::string& { return d.line.api.credentials.scope; })},
      {"--limit", "N", "requests of one app and location in an interval: 100; 0: no limit",
       number<std::size_t>([](Draft& d) -> std::size_t& { return d.line.api.limits.requests; })},
      {"--interval", "DURATION", "of the limit: 10s",
       duration<std::chrono::microseconds>(
           [](Draft& d) -> std::chrono::microseconds& { return d.line.api.limits.interval; })},
      {"--daily", "N", "requests of one app and location in a day: 200000",
       number<std::size_t>([](Draft& d) -> std::size_t& { return d.line.api.limits.daily; })},
      {"--day", "DURATION", "how long that day is: 24h",
       duration<std::chrono::microseconds>(
           [](Draft& d) -> std::chrono::microseconds& { return d.line.api.limits.day; })},
      {"--window", "sliding|fixed", "of the limit: sliding", take_window},
      {"--latency", "DURATION[-DURATION]", "of every answer, between the two by chance: 0ms", take_latency},
      {"--index-lag", "DURATION", "until lists and searches show a write: 0ms",
       duration<std::chrono::milliseconds>(
           [](Draft& d) -> std::chrono::milliseconds& { return d.line.api.world.index_lag; })},
      {"--webhook-url", "URL", "where events go (http:// only); may be set later by the control API", take_webhook_url},
      {"--webhook-key", "FILE", "Ed25519 private key, PEM: a fresh one",
       text([](Draft& d) -> std::string& { return d.line.webhooks.key; })},
      {"--webhook-legacy", "", "sign with RSA too (x-wh-signature)",
       on([](Draft& d) -> bool& { return d.line.webhooks.legacy; })},
      {"--webhook-legacy-key", "FILE", "RSA private key, PEM: a fresh one",
       text([](Draft& d) -> std::string& { return d.line.webhooks.legacy_key; })},
      {"--allow-faults", "on|off", "obey the request header X-Simulator-Fault: on", take_faults},
      {"--allow-duplicates", "", "the locations allow contacts with equal email or phone",
       on([](Draft& d) -> bool& { return d.line.api.world.allow_duplicates; })},
      {"--not-found", "400|404", "status for an unknown id: 400, as documented", take_not_found},
      {"--etag", "off|strong|weak", "send ETag and answer If-None-Match: off", take_etag},
      {"--vary", "", "answers vary on Accept-Language, and give it back as Content-Language",
       on([](Draft& d) -> bool& { return d.line.api.vary; })},
      {"--clock", "wall|logical", "dates in bodies; logical: equal calls get equal bytes from two simulators: wall",
       take_clock},
      {"--help", "", "this text", on([](Draft& d) -> bool& { return d.line.help; })},
      {"--version", "", "the version", on([](Draft& d) -> bool& { return d.line.version; })},
  };
  return all;
}

const Flag* flag_named(const std::string& name) {
  for (const Flag& flag : flags()) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

CommandLine completed(Draft draft) {
  CommandLine& line = draft.line;
  CredentialOptions& credentials = line.api.credentials;
  if (line.listen.empty()) line.listen = {"127.0.0.1:8090"};
  if (draft.locations.empty()) draft.locations = {"loc_demo"};
  if (credentials.token.empty() && credentials.location_tokens.empty() && credentials.clients.empty()) {
    credentials.token = "simulator-token";
  }
  for (const std::string& location : draft.locations) line.api.seeds.push_back({location, draft.contacts});
  for (auto* grants : {&line.codes, &line.refresh_tokens}) {
    for (auto& [value, grant] : *grants) grant.scope = credentials.scope;
  }
  return std::move(draft.line);
}

}  // namespace

std::variant<std::string, CommandLine> parse_command_line(const std::vector<std::string>& arguments) {
  Draft draft;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto equals = arguments[i].starts_with("--") ? arguments[i].find('=') : std::string::npos;
    const std::string name = arguments[i].substr(0, equals);
    const Flag* flag = flag_named(name);
    if (flag == nullptr) return "unknown flag " + name + " (--help lists them)";
    std::string value;
    if (*flag->value == '\0') {
      if (equals != std::string::npos) return name + " takes no value";
    } else if (equals != std::string::npos) {
      value = arguments[i].substr(equals + 1);
    } else if (++i == arguments.size()) {
      return name + " needs a value: " + flag->value;
    } else {
      value = arguments[i];
    }
    if (const std::string expected = flag->take(draft, value); !expected.empty()) {
      return name + ": '" + value + "' is not right, expected " + expected;
    }
  }
  if (draft.line.api.limits.interval.count() == 0 || draft.line.api.limits.day.count() == 0) {
    return "--interval and --day must be longer than 0";
  }
  if (draft.line.threads == 0) return "--threads must be at least 1";
  return completed(std::move(draft));
}

std::string help_text() {
  std::string out =
      "leadconnector-simulator: a stand-in for the LeadConnector API of contacts and OAuth, with its limits, webhooks "
      "and faults\n\n"
      "usage: leadconnector-simulator [flags]\n\n";
  for (const Flag& flag : flags()) {
    std::string left = std::string("  ") + flag.name + (*flag.value ? " " : "") + flag.value;
    left.resize(std::max<std::size_t>(left.size() + 1, 34), ' ');
    out += left + flag.what + "\n";
  }
  out +=
      "\nWith no flags: token simulator-token, location loc_demo, contacts contact0000000000001 to "
      "contact0000000000025, each with\n"
      "one task (task0000000000000100, …), note (note0000000000000100, …) and appointment.\n"
      "\nFaults, as X-Simulator-Fault or by control: status=N[;retry-after=S][;applied], 429, latency=DURATION, "
      "reset-before,\n"
      "reset-after, hang, slow-body[=DURATION], wrong-length, garbage.\n"
      "\nControl (JSON, no token):\n"
      "  POST   /_simulator/faults     "
      "{\"match\":{\"method\":…,\"path_prefix\":…},\"fault\":…,\"probability\":1.0,\"count\":n}\n"
      "  DELETE /_simulator/faults\n"
      "  GET    /_simulator/books      ?window=DURATION\n"
      "  GET    /_simulator/arrivals   ?locationId=ID: microseconds, negative where refused\n"
      "  GET    /_simulator/contacts   ?locationId=ID: every contact with its parts\n"
      "  POST   /_simulator/reset      contacts as at the start; limits, books and faults empty; tokens stay\n"
      "  POST   /_simulator/seed       {\"location\":ID,\"contacts\":n,\"tasks\":1,\"notes\":1,\"appointments\":1}\n"
      "  POST   /_simulator/limits     {\"limit\":n,\"interval\":\"10s\",\"daily\":n,\"window\":\"sliding\"}\n"
      "  POST   /_simulator/grant      {\"locationId\":ID} or {\"companyId\":ID}: a code and a refresh token\n"
      "  POST   /_simulator/revoke     {\"access_token\":…}, {\"locationId\":ID}, {} for all, or "
      "{\"refresh_token\":…}\n"
      "  POST   /_simulator/edit       {\"contactId\":ID,\"set\":{…}}, {\"contactId\":ID,\"delete\":true} or "
      "{\"method\",\"path\",\"body\"}\n"
      "  GET    /_simulator/webhooks   public keys, URL and counts\n"
      "  POST   /_simulator/webhooks   {\"url\":\"http://…\"}\n"
      "  POST   /_simulator/webhooks/send {\"event\":{…},\"signature\":\"valid|legacy|forged|none\"}\n";
  return out;
}

}  // namespace simulator
