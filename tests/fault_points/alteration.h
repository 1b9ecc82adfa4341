// What contacts-gateway-with-faults does otherwise than the product: it is linked from the product's own objects, with
// some of the calls between its files led through functions of ours (the linker's --wrap; seams.txt names them). So a
// rule of the coherence contract can be taken out of the running program, it can die or stop at a step of a write, and
// its clock can be wrong, and the product holds no switch for any of it. The environment tells what:
//   ALTERED_WITHOUT=RULE         pending-mark, generation, acknowledgements, lease-fence, end-check, quarantine or
//                                flight-state
//   ALTERED_STEP=STEP            begin, begun, send, upstream, answered, end, ended: where the process gets a signal
//   ALTERED_SIGNAL=KILL|STOP     which one
//   ALTERED_WRITE=N              at which of its writes (1: the first); later ones are left alone
//   ALTERED_CLOCK=SECONDS        how far std::chrono::system_clock is off
#pragma once

#include <string_view>

namespace altered {

// An unknown value ends the process with a message: a test that misspells one would find nothing.
bool without(std::string_view rule);

// The write under way has come to `step`: the signal may come here.
void reached(std::string_view step);

}  // namespace altered
