// `contacts-gateway export` against a running gateway: killed and gone on with, equal to what upstream holds, while
// others do not feel it.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/paths.h"
#include "tests/support/sanitized.h"
#include "tests/support/simulator_process.h"
#include "tests/support/temp_dir.h"

using namespace test_support;

namespace {

constexpr milliseconds kLimit{900'000};

bool full() { return std::getenv("GATEWAY_TEST_FULL") != nullptr; }

struct Rig {
  explicit Rig(std::size_t contacts, std::vector<std::string> more = {})
      : simulator({[&] {
          std::vector<std::string> arguments{"--contacts", std::to_string(contacts), "--limit", "1000000", "--daily",
                                             "100000000"};
          arguments.insert(arguments.end(), more.begin(), more.end());
          return arguments;
        }()}),
        gateway({.upstream = simulator.url(),
                 .settings = {{"credentials.token", "simulator-token"},
                              {"rate_limit.requests", "1000000"},
                              {"rate_limit.daily", "100000000"},
                              {"log.requests", "errors"}}}) {}

  std::unique_ptr<Process> start(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{binary_dir() + "/contacts-gateway", "export",     "--url",
                                       "http://" + gateway.address(),      "--location", "loc_demo"};
    arguments.insert(arguments.end(), {"--out", out()});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<Process>(ProcessOptions{.arguments = arguments, .environment = {}, .unset_prefix = ""});
  }
  std::string out() const { return (folder.path() / "contacts.ndjson").string(); }
  std::string part() const { return out() + ".part"; }
  std::uintmax_t part_size() const {
    std::error_code none;
    const auto size = std::filesystem::file_size(part(), none);
    return none ? 0 : size;
  }

  TempDir folder;
  SimulatorProcess simulator;
  GatewayProcess gateway;
};

std::vector<std::string> names_in(const Json& json, const std::string& list, const char* member) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < json.size(list); ++i)
    all.push_back(json.text(list + "." + std::to_string(i) + "." + member));
  return all;
}

// What an exported line says of its contact, and what upstream's own dump does.
std::string told(const Json& json, const std::string& contact, const std::string& parts) {
  std::string text = json.text(contact + "email") + "|" + json.text(contact + "dateUpdated");
  for (const auto& each : names_in(json, parts + "notes", "id")) text += "|" + each;
  for (const auto& each : names_in(json, parts + "tasks", "id")) text += "|" + each;
  return text;
}

void check_equal(const Rig& rig, std::size_t contacts) {
  std::map<std::string, std::string> exported;
  std::ifstream file(rig.out());
  for (std::string line; std::getline(file, line);) {
    const Json json(line);
    CHECK_FALSE(json.has("problems"));
    CHECK(exported.emplace(json.text("contact.id"), told(json, "contact.", "")).second);
  }
  CHECK(exported.size() == contacts);
  const Json held(HttpClient(rig.simulator.address(), kLimit).get("/_simulator/contacts?locationId=loc_demo").body);
  REQUIRE(static_cast<std::size_t>(held.integer("total")) == contacts);
  std::size_t equal = 0;
  const auto& all = held.find("contacts")->GetArray();
  for (const auto& each : all) {
    std::string text = std::string(each["email"].GetString()) + "|" + each["dateUpdated"].GetString();
    for (const char* part : {"notes", "tasks"})
      for (const auto& item : each[part].GetArray()) text += "|" + std::string(item["id"].GetString());
    const auto found = exported.find(each["id"].GetString());
    equal += found != exported.end() && found->second == text ? 1 : 0;
  }
  CHECK(equal == contacts);
}

// Peak memory of a process, in KiB.
std::size_t peak_memory(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6));
  return 0;
}

// How long interactive requests queue for a permit, in ms, p99, until `done`.
double p99_wait(const Rig& rig, std::atomic<bool>& done) {
  std::vector<double> waits;
  HttpClient client(rig.gateway.address(), kLimit);
  for (int i = 1; !done || waits.size() < 200; ++i) {
    char id[32];
    std::snprintf(id, sizeof id, "contact%013d", i % 500 + 1);
    const auto response = client.get(std::string("/contacts/") + id, {{"Cache-Control", "no-store"}});
    CHECK(response.status == 200);
    const auto timing = response.field("Server-Timing");
    const auto at = timing.find("dur=");
    waits.push_back(at == std::string::npos ? 0 : std::stod(timing.substr(at + 4)));
  }
  std::sort(waits.begin(), waits.end());
  return waits[waits.size() * 99 / 100];
}

// Kills the export twice in its course and lets the third run end.
void kill_twice_and_finish(const Rig& rig, std::size_t contacts) {
  const std::vector<std::string> include{"--include", "notes,tasks"};
  std::uintmax_t reached = 0;
  for (int kills = 0; kills < 2; ++kills) {
    const auto process = rig.start(include);
    const std::uintmax_t enough = reached + contacts * 250;  // about a quarter more
    REQUIRE(eventually(kLimit, [&] { return rig.part_size() >= enough || !process->running(); }));
    REQUIRE(process->running());
    process->signal(SIGKILL);
    process->wait_for_exit(kLimit);
    REQUIRE_FALSE(std::filesystem::exists(rig.out()));
    reached = rig.part_size();
    // As a crash of the machine may leave it: a torn line.
    std::ofstream(rig.part(), std::ios::app) << R"({"contact":{"id":"contact00)";
  }
  const auto process = rig.start(include);
  CHECK_MESSAGE(process->wait_for_exit(kLimit) == 0, process->output(Stream::Error));
  CHECK(process->output(Stream::Error).find("going on with") != std::string::npos);
  CHECK(process->output(Stream::Error).find("exported " + std::to_string(contacts) + " contacts") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(rig.part()));
}

}  // namespace

TEST_SUITE("export") {
  TEST_CASE("an export that is killed twice is whole in the end and equal to what upstream holds") {
    const std::size_t contacts = full() ? 100'000 : 2'000;
    Rig rig(contacts);
    std::atomic<bool> done{true};
    const double before = p99_wait(rig, done);
    done = false;
    double during = 0;
    std::thread interactive([&] { during = p99_wait(rig, done); });
    const auto began = std::chrono::steady_clock::now();
    kill_twice_and_finish(rig, contacts);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    done = true;
    interactive.join();
    check_equal(rig, contacts);
    const auto memory = peak_memory(rig.gateway.process().pid());
    MESSAGE(contacts << " contacts with notes and tasks in " << took.count()
                     << " s, killed twice; gateway's peak memory " << memory / 1024 << " MiB; p99 wait for a permit "
                     << before << " ms before, " << during << " ms during");
    if (!kSanitized) CHECK(memory < 64 * 1024);
    // A window's slots are 10 s apart: who had to wait for one would wait for seconds. The finer figure is for a quiet
    // machine.
    CHECK(during < 1'000);
    if (full() && !kSanitized) CHECK(during <= before + 100);
  }

  TEST_CASE("a file that is there is replaced only when that is asked for, and by a whole export") {
    Rig rig(30);
    rig.folder.write("contacts.ndjson", "mine\n");
    const auto refused = rig.start();
    CHECK(refused->wait_for_exit(kLimit) == 2);
    CHECK(refused->output(Stream::Error).find("--overwrite") != std::string::npos);
    CHECK(rig.start({"--overwrite"})->wait_for_exit(kLimit) == 0);
    std::ifstream file(rig.out());
    CHECK(std::count(std::istreambuf_iterator<char>(file), {}, '\n') == 30);
  }

  TEST_CASE("what cannot be written, asked for or reached is told, and nothing half is there under the file's name") {
    Rig rig(300);
    Process limited({.arguments = {"bash", "-c",
                                   "ulimit -f 64; exec " + binary_dir() + "/contacts-gateway export --url http://" +
                                       rig.gateway.address() + " --location loc_demo --out " + rig.out()},
                     .environment = {},
                     .unset_prefix = ""});
    CHECK(limited.wait_for_exit(kLimit) == 1);
    CHECK(limited.output(Stream::Error).find("cannot write " + rig.part() + ": File too large") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(rig.out()));
    const auto other = rig.start({"--include", "notes"});  // the part was begun without
    CHECK(other->wait_for_exit(kLimit) == 1);
    CHECK(other->output(Stream::Error).find("begun with another include") != std::string::npos);
    CHECK(rig.start()->wait_for_exit(kLimit) == 0);  // goes on where the disk was full
    CHECK(rig.start({"--include", "deals"})->wait_for_exit(kLimit) == 2);
    CHECK(rig.start({"--url", "ftp://x"})->wait_for_exit(kLimit) == 2);
  }

  TEST_CASE("records that lack a part are counted and told") {
    Rig rig(30);
    HttpClient(rig.simulator.address())
        .send({.method = "POST",
               .target = "/_simulator/faults",
               .body = R"({"match":{"path_prefix":"/contacts/contact0000000000007/notes"},"fault":"status=400"})"});
    const auto run = rig.start({"--include", "notes"});
    CHECK(run->wait_for_exit(kLimit) == 0);
    CHECK(run->output(Stream::Error).find("1 of those received now lack a part") != std::string::npos);
  }

  TEST_CASE("two exports do not write one file") {
    Rig rig(2'000, {"--latency", "50ms"});
    const auto first = rig.start({"--include", "notes"});
    REQUIRE(eventually(kLimit, [&] { return rig.part_size() > 0; }));
    const auto second = rig.start({"--include", "notes"});
    CHECK(second->wait_for_exit(kLimit) == 1);
    CHECK(second->output(Stream::Error).find("in use") != std::string::npos);
  }
}
