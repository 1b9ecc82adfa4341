// What the program's exit codes mean, for scripts.
#pragma once

namespace gateway::cli {

enum ExitCode : int {
  kDone = 0,        // also: ended by SIGTERM or SIGINT after draining
  kFailed = 1,      // it was right to ask, and it did not work: an address is taken, the admin address refused
  kInvalid = 2,     // arguments or settings are wrong; nothing was started
  kCredential = 3,  // check --connect: the upstream is there and refuses a credential, or one has ended
  kRedis = 4,       // check --connect: Redis cannot be used as it is
};

inline constexpr const char* kExitCodes =
    "Exit codes: 0 done; 1 it did not work (an address is taken, a connection failed); 2 arguments or settings are "
    "wrong; 3 and 4, of check --connect: a credential was refused or has ended; Redis cannot be used.";

}  // namespace gateway::cli
