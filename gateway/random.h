// Random ids and jitter for what policies take as arguments. Thread-local generators seeded from the kernel; not for
// secrets.
#pragma once

#include <cstdint>
#include <string>

namespace gateway {

std::uint64_t random_id();  // never 0
double random_unit();       // [0, 1)
std::string random_hex(int bytes);

}  // namespace gateway
