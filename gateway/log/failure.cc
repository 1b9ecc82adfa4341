#include "gateway/log/failure.h"

#include <asio/error.hpp>
#include <asio/system_error.hpp>
#include <string_view>

#include "gateway/log/log.h"

namespace gateway::log {

void failure(const char* event, const std::exception_ptr& thrown) {
  if (!thrown) return;
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& problem) {
    error(event, {{"detail", std::string_view(problem.what())}});
  }
}

bool cancelled(const std::exception_ptr& thrown) {
  if (!thrown) return false;
  try {
    std::rethrow_exception(thrown);
  } catch (const asio::system_error& problem) {
    return problem.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace gateway::log
