#include "gateway/metrics/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace gateway::metrics {

namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

void add(std::vector<MetricFamily>& families, const char* name, const char* help, MetricType type,
         std::optional<double> value) {
  if (!value) return;
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  family.metric.emplace_back();
  if (type == MetricType::Counter)
    family.metric.back().counter.value = *value;
  else
    family.metric.back().gauge.value = *value;
  families.push_back(std::move(family));
}

// Fields of /proc/self/stat by their number in proc(5), from the third on: the second may hold spaces.
std::vector<double> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream rest(line.substr(std::min(line.rfind(')') + 1, line.size())));
  std::string state;
  rest >> state;
  std::vector<double> fields(4, 0);
  for (double number; rest >> number;) fields.push_back(number);
  return fields;
}

std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string key; file >> key;) {
    double seconds = 0;
    if (key == "btime" && file >> seconds) return seconds;
    std::getline(file, key);
  }
  return std::nullopt;
}

std::optional<double> open_descriptors() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (!folder) return std::nullopt;
  double count = -3;  // ".", ".." and the folder's own
  while (::readdir(folder)) ++count;
  ::closedir(folder);
  return count;
}

}  // namespace

std::uint64_t resident_bytes() {
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[128] = {};
  const auto size = ::read(file, text, sizeof text - 1);
  ::close(file);
  unsigned long long whole = 0, resident = 0;  // in pages, proc(5)
  if (size <= 0 || std::sscanf(text, "%llu %llu", &whole, &resident) != 2) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::vector<MetricFamily> process_families() {
  std::vector<MetricFamily> families;
  const auto stat = stat_fields();
  const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK)), page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  if (stat.size() > 24) {
    const auto boot = boot_time();
    add(families, "process_cpu_seconds_total", "CPU time used, user and system, in seconds.", MetricType::Counter,
        (stat[14] + stat[15]) / ticks);
    add(families, "process_start_time_seconds", "When the process started, seconds since 1970.", MetricType::Gauge,
        boot ? std::optional(*boot + stat[22] / ticks) : std::nullopt);
    add(families, "process_virtual_memory_bytes", "Virtual memory in bytes.", MetricType::Gauge, stat[23]);
    add(families, "process_resident_memory_bytes", "Resident memory in bytes.", MetricType::Gauge, stat[24] * page);
  }
  add(families, "process_open_fds", "File descriptors open.", MetricType::Gauge, open_descriptors());
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    add(families, "process_max_fds", "File descriptors the process may open.", MetricType::Gauge,
        static_cast<double>(limit.rlim_cur));
  return families;
}

}  // namespace gateway::metrics
