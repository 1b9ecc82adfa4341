#include "gateway/cli/run.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <sstream>

#include "gateway/cli/commands.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/export.h"
#include "gateway/config/table.h"
#include "gateway/log/log.h"
#include "gateway/serve.h"
#include "policies/catalogue.h"

namespace gateway::cli {

namespace {

struct Options {
  std::string config;
  bool json = false, generate = false, connect = false;
  PurgeRequest purge;
  Authorization authorization;
  FlowsRequest flows;
  ExportRequest exporting;
};

// The settings' part of --help, from the table.
std::string settings_help() {
  std::ostringstream text;
  text << kExitCodes << "\n\nSettings, as --path=value, as GATEWAY_PATH_IN_CAPITALS or in the JSON file:\n";
  for (const auto& setting : config::table()) {
    const bool member = setting.path.find("[]") != std::string_view::npos;
    text << "  " << (member ? "  " : "--") << setting.path << (setting.secret && !member ? "_file PATH" : "");
    if (!setting.fallback.empty()) text << " (" << setting.fallback << ")";
    text << "\n      " << setting.doc << '\n';
  }
  text << "Secrets are taken from files (--path_file, GATEWAY_PATH_FILE) or variables, never as flags.\n";
  return text.str();
}

config::Inputs inputs_of(const std::string& file, std::vector<std::string> flags) {
  config::Inputs inputs;
  inputs.file = file;
  inputs.environment = config::process_environment();
  inputs.flags = std::move(flags);
  for (const auto& operation : policies::Catalogue::builtin().operations()) inputs.operations.push_back(operation.name);
  return inputs;
}

// A service's standard error is its log, whose readers take JSON lines apart; at a terminal somebody reads.
int run_serve(const config::Inputs& inputs) {
  if (::isatty(STDERR_FILENO) == 1) {
    const auto loaded = load_settings(inputs, true, std::cerr);
    return loaded ? serve(inputs, *loaded) : kInvalid;
  }
  config::Problems problems;
  if (const auto loaded = load_settings(inputs, true, problems)) return serve(inputs, *loaded);
  log::start(log::Level::Info);
  for (const auto& problem : problems) log::error("cannot_start", {{"why", problem}});
  log::stop();
  return kInvalid;
}

// Options that a command does not know, --config and the settings' flags among them, go up to the app.
CLI::App* command(CLI::App& app, const char* name, const char* about) {
  CLI::App* added = app.add_subcommand(name, about);
  added->fallthrough();
  return added;
}

void describe_export(CLI::App& app, ExportRequest& request) {
  CLI::App* added = command(app, "export", "Write all contacts of a location into a file, from a running gateway");
  added->add_option("--location", request.location, "The location")->type_name("ID");
  added->add_option("--out", request.out, "The file, a line of JSON a contact; until it is whole it is FILE.part")
      ->type_name("FILE");
  added->add_option("--include", request.include, "Parts of each contact: notes,tasks,appointments");
  added->add_option("--url", request.url, "The gateway (http://127.0.0.1:8080); unix:PATH too");
  added->add_option("--key-file", request.key_file, "File with the client's key (or CONTACTS_GATEWAY_KEY)");
  added->add_option("--ca-file", request.ca_file, "PEM bundle to trust, for https");
  added->add_flag("--overwrite", request.overwrite, "Replace a FILE that is there");
}

void describe(CLI::App& app, Options& options) {
  app.description("A local API gateway and caching proxy in front of the LeadConnector Contacts API.");
  app.set_version_flag("--version", "contacts-gateway " GATEWAY_VERSION);
  app.add_option("--config", options.config, "JSON settings file (GATEWAY_CONFIG)")->type_name("FILE");
  app.allow_extras();
  app.require_subcommand(0, 1);
  app.footer(settings_help);
  command(app, "serve", "Run the gateway (what happens without a command)");
  command(app, "check", "Hold the settings against the rules and print the effective ones, secrets hidden")
      ->add_flag("--connect", options.connect, "Also try the upstream and each credential");
  command(app, "operations", "Print the operations it serves")->add_flag("--json", options.json, "As JSON");
  command(app, "hash-key", "Hash a key, read from standard input, for clients[].key_hash and admin.key_hash")
      ->add_flag("--generate", options.generate, "Make a new key and print it with its hash");
  CLI::App* purge = command(app, "purge", "Drop entries from a running gateway's cache, by its admin address");
  purge->add_option("--key", options.purge.keys, "Surrogate key: contact:ID, location:ID:contacts (may be repeated)")
      ->allow_extra_args(false);
  purge->add_option("--location", options.purge.location, "Everything of one location");
  purge->add_flag("--all", options.purge.all, "Everything");
  purge->add_option("--admin-key-file", options.purge.admin_key_file,
                    "File with the admin key, where one is configured");
  describe_export(app, options.exporting);
}

void describe_flows(CLI::App& app, FlowsRequest& request) {
  CLI::App* flows =
      command(app, "flows", "The flows of a running gateway and what they could not do, by its admin address");
  flows->add_option("action", request.action, "list, show, retry or drop")
      ->required()
      ->check(CLI::IsMember({"list", "show", "retry", "drop"}));
  flows->add_option("run", request.run, "A dead letter, as list names it");
  flows->add_flag("--all", request.all, "Every dead letter (retry, drop)");
  flows->add_flag("--json", request.json, "As JSON (list)");
  flows->add_option("--admin-key-file", request.admin_key_file, "File with the admin key, where one is configured");
}

void describe_authorize(CLI::App& app, Authorization& authorization) {
  CLI::App* authorize = command(app, "authorize", "Authorise the app for a location or agency, and store its tokens");
  authorize->add_option("--client-id", authorization.client_id, "Which configured client, where there are several");
  authorize->add_option("--scope", authorization.scope, "Scopes to ask for")->capture_default_str();
  authorize->add_option("--install-page", authorization.install_page, "The marketplace's page")->capture_default_str();
  authorize->add_flag("--paste", authorization.paste, "Read the code, or the URL with it, from standard input");
  authorize->add_option("--wait", authorization.wait_seconds, "Seconds to wait for the browser")
      ->check(CLI::Range(1, 24 * 60 * 60))
      ->capture_default_str();
}

int dispatch(CLI::App& app, const Options& options) {
  const auto chosen = app.get_subcommands();
  const std::string name = chosen.empty() ? "serve" : chosen.front()->get_name();
  if (const auto extra = app.remaining(true);
      !extra.empty() && (name == "operations" || name == "hash-key" || name == "export")) {
    std::cerr << "contacts-gateway: " << name << " takes no " << extra.front() << "; see contacts-gateway " << name
              << " --help\n";
    return kInvalid;
  }
  if (name == "operations") return operations(options.json, std::cout);
  if (name == "export") return export_records(options.exporting, ::isatty(STDERR_FILENO) == 1, std::cerr);
  if (name == "hash-key")
    return hash_key(options.generate, ::isatty(STDIN_FILENO) == 1, std::cin, std::cout, std::cerr);
  const config::Inputs inputs = inputs_of(options.config, app.remaining(true));
  if (name == "check") return check(inputs, options.connect, std::cout, std::cerr);
  if (name == "flows") return flows(inputs, options.flows, std::cout, std::cerr);
  if (name == "authorize") return authorize(inputs, options.authorization, std::cin, std::cout, std::cerr);
  if (name == "purge") return purge(inputs, options.purge, std::cout, std::cerr);
  return run_serve(inputs);
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app("", "contacts-gateway");
  Options options;
  describe(app, options);
  describe_flows(app, options.flows);
  describe_authorize(app, options.authorization);
  int code = kDone;
  try {
    app.parse(argc, argv);
    code = dispatch(app, options);
  } catch (const CLI::ParseError& e) {  // --help and --version too
    if (app.exit(e) != 0) code = kInvalid;
  }
  if (std::cout.flush()) return code;
  std::cerr << "contacts-gateway: the standard output cannot be written\n";
  return code == kDone ? kFailed : code;
}

}  // namespace gateway::cli
