#include "gateway/redis/value.h"

namespace gateway::redis {

Value to_value(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      return {std::string(reply.str, reply.len)};
    case REDIS_REPLY_ERROR:
      return {Error{std::string(reply.str, reply.len)}};
    case REDIS_REPLY_INTEGER:
      return {std::int64_t{reply.integer}};
    case REDIS_REPLY_ARRAY: {
      Array array;
      array.reserve(reply.elements);
      for (std::size_t i = 0; i < reply.elements; ++i) array.push_back(to_value(*reply.element[i]));
      return {std::move(array)};
    }
    default:
      return {Nil{}};
  }
}

}  // namespace gateway::redis
