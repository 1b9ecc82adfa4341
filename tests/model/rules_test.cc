// The rules, taken out one at a time, beside an oracle (coherence_model.py, a model written before the code, which is
// no part of this repository): where it finds a stale read without a rule, so does this model with the product's own
// code, and where it finds none, neither does this. What the oracle says is written down here, for the same number of
// writes, reads and faults, as it was printed on 2026-11-26; GATEWAY_TEST_FULL=1 asks the oracle itself where it is
// there.
//
// Each of its twelve rules is one of ours, taken out without a copy of the code that keeps it: by what the world tells
// that code. The two see time differently. The oracle has none: a lease may end whenever no rule forbids it. Here
// seconds pass, as many as that takes, where a lease's end is what a rule is about. And the oracle's older copy may
// hold an entry that nobody has stored; here Redis holds one from the start instead, so that in that row a write that
// leaves the generation as it was needs no second read to be found out.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "tests/model/world.h"
#include "tests/support/paths.h"
#include "tests/support/sanitized.h"

namespace {
using model::Bounds;
using model::Without;

struct Rule {
  const char* oracle;
  Without ours;
};
constexpr std::array kRules{
    Rule{"", Without::Nothing},
    Rule{"pend", Without::PendingMark},
    Rule{"pendset", Without::MarkSet},
    Rule{"bump", Without::Generation},
    Rule{"capture", Without::Capture},
    Rule{"ack", Without::Acknowledgement},
    Rule{"fence", Without::LeaseFence},
    Rule{"refuse", Without::MemoryGuard},
    Rule{"endcheck", Without::EndCheck},
    Rule{"runid", Without::RunId},
    Rule{"quarantine", Without::Quarantine},
    Rule{"flight", Without::FlightState},
    Rule{"flightpend", Without::FlightMarks},
};

struct Row {
  const char* oracle;  // its arguments
  Bounds ours;
  std::string violated;         // the rules without which there is a stale read, says the oracle
  std::string everyday;         // the rules that are taken out everyday
  bool quick = false;           // the oracle takes seconds
  std::string violated_here{};  // with the entry that Redis holds from the start
};

bool among(const char* rule, const std::string& rules) {
  return rules.find(" " + std::string(rule) + " ") != std::string::npos;
}

std::vector<Row> rows() {
  const std::string two_reads = " pend bump capture ack fence refuse flight flightpend ";
  const std::string most = "  pend pendset bump capture ack refuse endcheck quarantine flight flightpend ";
  const auto empty = [](Bounds bounds) {
    bounds.memory_full = bounds.redis_full = false;
    return bounds;
  };
  return {
      {"W=1 N=2", empty({.writes = 1, .reads = 2}), two_reads, most + "fence ", true},
      {"W=2 N=1", empty({.writes = 2, .reads = 1}), "", "  pend pendset bump refuse endcheck ", true},
      {"W=1 N=1 restarts=1 rollback=1",
       {.writes = 1, .reads = 1, .rollbacks = 1, .memory_full = false},
       " runid ",
       most + "runid ",
       true,
       " runid bump "},
      {"W=1 N=1 evicts=1", empty({.writes = 1, .reads = 1, .evictions = 1}), "", "", true},
      {"W=1 N=1 crashes=1", empty({.writes = 1, .reads = 1, .crashes = 1}), "", "", true},
      {"W=1 N=2 crashes=1", empty({.writes = 1, .reads = 2, .crashes = 1}), two_reads, ""},
      {"W=1 N=2 restarts=1", empty({.writes = 1, .reads = 2, .restarts = 1}), two_reads + "endcheck quarantine ", ""},
      {"W=1 N=2 evicts=1", empty({.writes = 1, .reads = 2, .evictions = 1}), two_reads + "endcheck quarantine ", ""},
  };
}

// What ends a lease is time.
Bounds with_time_for(Bounds bounds, Without rule) {
  if (rule == Without::LeaseFence) bounds.seconds = 2, bounds.reports = 1;
  return bounds;
}

bool full() { return std::getenv("GATEWAY_TEST_FULL") != nullptr; }

std::string oracle_path() {
  const char* named = std::getenv("GATEWAY_COHERENCE_ORACLE");
  const std::array paths{std::string(named == nullptr ? "" : named),
                         test_support::source_dir() + "/../shared/design/coherence_model.py",
                         std::string("/work/shared/design/coherence_model.py")};
  for (const auto& path : paths)
    if (!path.empty() && std::filesystem::exists(path)) return path;
  return {};
}

std::string first_word(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  REQUIRE(pipe != nullptr);
  std::array<char, 64> word{};
  const int read = std::fscanf(pipe.get(), "%63s", word.data());
  while (std::fgetc(pipe.get()) != EOF) {
  }
  return read == 1 ? word.data() : "";
}
}  // namespace

TEST_SUITE("model") {
  TEST_CASE("without a rule there is a stale read exactly where the design's oracle finds one") {
    for (const auto& row : rows()) {
      for (const auto& rule : kRules) {
        if (!full() && !among(rule.oracle, row.everyday)) continue;
        auto bounds = with_time_for(row.ours, rule.ours);
        bounds.without = rule.ours;
        const bool expected = among(rule.oracle, row.violated_here.empty() ? row.violated : row.violated_here);
        if (test_support::kSanitized && (!expected || bounds.seconds > 0)) continue;
        bounds.shortest = expected;
        const auto found = model::explore(bounds);
        const std::string what = std::string(row.oracle) + ", without " + model::name_of(rule.ours) + ": " +
                                 (found.violated ? "VIOLATION" : "OK");
        MESSAGE(what, ", ", found.states, " states");
        CHECK_MESSAGE(found.violated == expected, model::to_string(bounds), " in ", found.states, " states");
        CHECK(found.complete);
      }
    }
  }

  TEST_CASE("the oracle says what is written down of it") {
    if (!full()) return;
    const auto oracle = oracle_path();
    if (oracle.empty()) {
      MESSAGE("skipped: no coherence_model.py here (GATEWAY_COHERENCE_ORACLE names it)");
      return;
    }
    for (const auto& row : rows()) {
      if (!row.quick) continue;
      for (const auto& rule : kRules) {
        std::string command = "python3 '" + oracle + "' " + row.oracle;
        if (rule.oracle[0] != '\0') command += std::string(" ") + rule.oracle + "=0";
        const auto said = first_word(command);
        MESSAGE(command, ": ", said);
        CHECK_MESSAGE(said == (among(rule.oracle, row.violated) ? "VIOLATION" : "OK"), command);
      }
    }
  }
}
