// Named steps at which a test may end the process or hold it up, to show that nothing is lost when it dies there. In
// contacts-gateway reaching one does nothing, and no setting or variable changes that: fault_point.cc is empty. The
// tests' own program, contacts-gateway-with-faults, is linked with tests/fault_points/fault_point.cc instead. Any
// thread.
#pragma once

#include <string_view>

namespace gateway {

void fault_point(std::string_view name);

}  // namespace gateway
