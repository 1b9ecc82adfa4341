#include "tests/deploy/prometheus_server.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "tests/support/eventually.h"
#include "tests/support/redis_server.h"

namespace deploy_tests {

using namespace test_support;

namespace {

constexpr milliseconds kLimit{120'000};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    if (std::isalnum(c))
      out.push_back(static_cast<char>(c));
    else
      out.append({'%', kHex[c >> 4], kHex[c & 15]});
  }
  return out;
}

std::string configuration(const PrometheusServer::Options& options, const std::string& folder) {
  std::string text =
      "global: { scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 1s }\nrule_files:\n";
  for (const auto& file : options.rule_files) {
    // Groups that are slow on purpose would not be evaluated once in a test's time.
    std::string rules = read_file(file);
    for (const std::string slow = "interval: 5m"; rules.find(slow) != std::string::npos;)
      rules.replace(rules.find(slow), slow.size(), "interval: 1s");
    const auto copy = folder + "/" + std::filesystem::path(file).filename().string();
    std::ofstream(copy) << rules;
    text += "  - " + copy + "\n";
  }
  return text + "scrape_configs:\n  - job_name: " + options.job + "\n    file_sd_configs: [{ files: [" + folder +
         "/targets.json], refresh_interval: 1s }]\n";
}

}  // namespace

PrometheusServer::PrometheusServer(const Options& options)
    : address_("127.0.0.1:" + std::to_string(free_port())), started_(now()) {
  const std::string folder = folder_.path();
  folder_.write("targets.json", "[]");
  const auto file = folder_.write("prometheus.yml", configuration(options, folder));
  process_ = std::make_unique<Process>(
      ProcessOptions{.arguments = {"prometheus", "--config.file=" + file, "--storage.tsdb.path=" + folder + "/data",
                                   "--web.listen-address=" + address_, "--log.level=warn"}});
  client_ = std::make_unique<HttpClient>(address_, kLimit);
  const bool ready = eventually(kLimit, [&] {
    if (!process_->running()) return true;
    try {
      return client_->get("/-/ready").status == 200;
    } catch (const HttpError&) {
      return false;
    }
  });
  if (!ready || !process_->running())
    throw std::runtime_error("prometheus does not start: " + process_->output(Stream::Error));
}

void PrometheusServer::scrape(const std::vector<std::string>& targets) {
  std::string list;
  for (const auto& target : targets) list += (list.empty() ? "" : ",") + json_string(target);
  // Renamed into place: it must not be read half written.
  folder_.write("targets.new", "[{\"targets\":[" + list + "]}]");
  std::filesystem::rename(folder_.path() / "targets.new", folder_.path() / "targets.json");
  for (const auto& target : targets)
    if (!eventually(
            kLimit, [&] { return value("up{instance=\"" + target + "\"}") == 1; }, milliseconds(50)))
      throw std::runtime_error(target + " is not scraped");
}

Json PrometheusServer::ask(std::string_view path, const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string query;
  for (const auto& [name, text] : parameters) query += (query.empty() ? "?" : "&") + name + "=" + encoded(text);
  const auto answer = client_->get(std::string(path) + query);
  if (answer.status != 200) throw std::runtime_error(answer.body);
  return Json(answer.body);
}

double PrometheusServer::value(const std::string& expression) {
  const auto answer = ask("/api/v1/query", {{"query", expression}});
  if (answer.text("data.resultType") == "scalar") return std::atof(answer.text("data.result.1").c_str());
  if (answer.size("data.result") == 0) return 0;
  return std::atof(answer.text("data.result.0.value.1").c_str());
}

std::size_t PrometheusServer::series(const std::string& expression) {
  return ask("/api/v1/query", {{"query", expression}}).size("data.result");
}

std::size_t PrometheusServer::series_since_start(const std::string& expression) {
  return ask("/api/v1/query_range", {{"query", expression},
                                     {"start", std::to_string(started_)},
                                     {"end", std::to_string(now())},
                                     {"step", "500ms"}})
      .size("data.result");
}

std::vector<Rule> PrometheusServer::rules() {
  const auto answer = ask("/api/v1/rules", {});
  std::vector<Rule> rules;
  for (std::size_t group = 0; group < answer.size("data.groups"); ++group) {
    const auto path = "data.groups." + std::to_string(group) + ".rules";
    for (std::size_t i = 0; i < answer.size(path); ++i) {
      const auto rule = path + "." + std::to_string(i);
      rules.push_back(
          {answer.text(rule + ".name"), answer.text(rule + ".query"), answer.text(rule + ".type") == "alerting"});
    }
  }
  return rules;
}

}  // namespace deploy_tests
