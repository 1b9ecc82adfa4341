// From hiredis' reply tree to ours, which owns what it holds. Any thread; used where hiredis hands its reply out.
#pragma once

#include <hiredis/hiredis.h>

#include "gateway/redis/client.h"

namespace gateway::redis {

Value to_value(const redisReply& reply);  // copies; recursion is bounded by the parser (7 levels)

}  // namespace gateway::redis
