// The dashboards of grafana/ as a test sees them: what each panel asks, and what a person is told about it.
#pragma once

#include <string>
#include <vector>

namespace deploy_tests {

struct Query {
  std::string where;       // "on-call.json: Left of the day"
  std::string expression;  // as Grafana would send it: variables filled in, all instances and locations
};

std::vector<std::string> dashboard_files();
std::vector<Query> queries_of(const std::string& file);  // panels, annotations and variables
std::vector<std::string> shortcomings_of(
    const std::string& file);  // what keeps it from importing as is or being understood

}  // namespace deploy_tests
