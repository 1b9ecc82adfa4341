// The wrapped functions. `real_…` is the product's, `our_…` is what its callers reach instead; the names that the
// linker knows them by are in seams.txt. A seam that no longer carries a call (its function became inline, say) shows
// in the tests: the rule would not be missed, the process would not die.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "gateway/cache/scripts.h"
#include "policies/coherence.h"
#include "tests/fault_points/alteration.h"

#define SEAM(result, name, symbol, ...)                      \
  result real_##name(__VA_ARGS__) __asm__("__real_" symbol); \
  result our_##name(__VA_ARGS__) __asm__("__wrap_" symbol);  \
  result our_##name(__VA_ARGS__)

using altered::reached;
using altered::without;
using gateway::cache::scripts::ScriptPtr;
using policies::coherence::Follower;
using policies::coherence::Milliseconds;
using policies::coherence::Timing;
using policies::coherence::View;
using policies::coherence::Write;
using std::chrono::system_clock;

namespace {
// `script` with `from` replaced by `to`. A text that is not there is a test that would test nothing.
ScriptPtr edited(const ScriptPtr& script, const std::string& from, const std::string& to) {
  auto source = script->source;
  const auto at = source.find(from);
  if (at == std::string::npos) {
    std::fprintf(stderr, "contacts-gateway-with-faults: script %s has no '%s'\n", script->name.c_str(), from.c_str());
    std::abort();
  }
  source.replace(at, from.size(), to);
  return std::make_shared<const gateway::redis::Script>(gateway::redis::Script{script->name, std::move(source)});
}
}  // namespace

// Rules 2 and 4: a write's marks and new generations.
SEAM(ScriptPtr, begin, "_ZN7gateway5cache7scripts5beginEv", void) {
  reached("begin");
  static const ScriptPtr script = without("pending-mark")
                                      ? edited(real_begin(), ", 'm:' .. ARGV[3], now + tonumber(ARGV[4])", "")
                                  : without("generation") ? edited(real_begin(), "'g', ARGV[i + 4], ", "")
                                                          : real_begin();
  return script;
}

// Rule 5. Without marks none are missed at the end either: taken out is the pair.
SEAM(ScriptPtr, end, "_ZN7gateway5cache7scripts3endEv", void) {
  reached("end");
  static const ScriptPtr script =
      without("pending-mark") || without("end-check") ? edited(real_end(), "return held\n", "return 1\n") : real_end();
  return script;
}

// Rule 4: who must acknowledge. Rule 3: how long a young epoch holds writers up.
SEAM(void, begun,
     "_ZN8policies9coherence5Write5begunERKNS1_5BegunERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEENSt6chrono8"
     "durationIlSt5ratioILl1ELl1000EEEERKNS0_6TimingEb",
     Write* self, const Write::Begun& begun, const std::string& replica, Milliseconds now, const Timing& timing,
     bool wait) {
  reached("begun");
  auto told = begun;
  if (without("acknowledgements")) told.live.clear();
  if (without("quarantine")) told.epoch_age = timing.lease;
  real_begun(self, told, replica, now, timing, wait);
}

SEAM(void, proceed, "_ZN8policies9coherence5Write7proceedEv", Write* self) {
  if (!self->applied()) {
    reached("send");
    reached("upstream");
  }
  real_proceed(self);
}

SEAM(void, answered, "_ZN8policies9coherence5Write8answeredEb", Write* self, bool more_keys) {
  reached("answered");
  real_answered(self, more_keys);
}

SEAM(void, ended, "_ZN8policies9coherence5Write5endedEb", Write* self, bool held) {
  reached("ended");
  real_ended(self, held);
}

// Rule 6: without its fence a replica goes on using its memory when it can no longer renew its lease.
SEAM(bool, reported, "_ZN8policies9coherence8Follower8reportedEmbbmNSt6chrono8durationIlSt5ratioILl1ELl1000EEEE",
     Follower* self, policies::coherence::Epoch epoch, bool renewed, bool cut, policies::coherence::Position end,
     Milliseconds sent_at) {
  return real_reported(self, epoch, renewed, cut, end,
                       without("lease-fence") ? sent_at + std::chrono::hours(24) : sent_at);
}

// Rule 7.
SEAM(bool, may_share_fetch, "_ZN8policies9coherence15may_share_fetchERKNS0_4ViewEmS3_m", const View& flight,
     std::uint64_t flight_counter, const View& reader, std::uint64_t reader_counter) {
  return without("flight-state") || real_may_share_fetch(flight, flight_counter, reader, reader_counter);
}

SEAM(system_clock::time_point, now, "_ZNSt6chrono3_V212system_clock3nowEv", void) {
  static const char* const off = std::getenv("ALTERED_CLOCK");
  return real_now() + std::chrono::seconds(off == nullptr ? 0 : std::atoi(off));
}
