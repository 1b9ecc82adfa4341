#include "gateway/records/attend.h"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <utility>

#include "gateway/exchange/refusal.h"
#include "gateway/log/failure.h"

namespace gateway::records {

void attend(asio::io_context& io, const std::shared_ptr<exchange::OwnRequest>& request,
            std::function<asio::awaitable<void>()> work) {
  auto cancel = std::make_shared<asio::cancellation_signal>();
  request->reply.on_hang_up(
      [&io, cancel] { asio::post(io, [cancel] { cancel->emit(asio::cancellation_type::terminal); }); });
  auto ended = [cancel, request](const std::exception_ptr& error) {
    if (!error) return;
    if (log::cancelled(error)) return request->finished(499, "client-left");
    log::failure("own_path_failed", error);
    request->answer(exchange::to_response(exchange::Refusal::Internal), "internal");
  };
  asio::post(io, [&io, cancel, ended, work = std::move(work)] {
    asio::co_spawn(io, work(), asio::bind_cancellation_slot(cancel->slot(), ended));
  });
}

}  // namespace gateway::records
