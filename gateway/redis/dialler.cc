#include "gateway/redis/dialler.h"

#include <algorithm>
#include <array>

#include "gateway/redis/call.h"
#include "gateway/redis/resolve.h"

namespace gateway::redis {
namespace {

using Arguments = Connection::Arguments;
using Answer = std::variant<Value, std::string>;  // or what went wrong

std::string printable(std::string_view text) {
  std::string out(text.substr(0, 200));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

// The reply of one step of the handshake.
asio::awaitable<Answer> ask(std::shared_ptr<Connection> connection, Arguments arguments, Clock::time_point deadline) {
  const std::string name = arguments[0];
  Result result = co_await Connection::call(connection, Words(arguments), deadline);
  if (const auto* unavailable = std::get_if<Unavailable>(&result)) {
    if (unavailable->reason == Unavailable::Reason::Timeout) co_return name + " was not answered within the time limit";
    co_return name + ": " + connection->error();
  }
  Value& value = std::get<Value>(result);
  if (const auto* error = std::get_if<Error>(&value.data)) co_return name + ": " + printable(error->message);
  co_return std::move(value);
}

// Only the code of an answer to AUTH is told on: the text of an error may repeat the arguments.
std::string explain_auth(const std::string& failure) {
  constexpr std::array codes{"WRONGPASS", "NOPERM", "NOAUTH", "ERR", "LOADING", "BUSY", "MAXCLIENTS"};
  if (failure.starts_with("AUTH: WRONGPASS")) return "AUTH: WRONGPASS: wrong user or password, or the user is disabled";
  if (failure.starts_with("AUTH: ERR")) return "AUTH: ERR: the server has no password set, or knows no users (Redis 6)";
  for (const std::string code : codes)
    if (failure.starts_with("AUTH: " + code)) return "AUTH: " + code;
  if (failure.starts_with("AUTH was not answered")) return failure;
  return "AUTH failed";
}

// Nothing, or why it failed.
asio::awaitable<std::string> authenticate(std::shared_ptr<Connection> connection, std::string user,
                                          std::string password, Clock::time_point deadline) {
  if (password.empty()) co_return std::string();
  Arguments arguments{"AUTH"};
  if (!user.empty()) arguments.push_back(std::move(user));
  arguments.push_back(std::move(password));
  const Answer answer = co_await ask(connection, std::move(arguments), deadline);
  const auto* failure = std::get_if<std::string>(&answer);
  co_return failure ? explain_auth(*failure) : std::string();
}

// The value of a "name:value" line of INFO.
std::string info_field(const Value& value, std::string_view name) {
  const auto* text = std::get_if<std::string>(&value.data);
  if (!text) return {};
  const std::string start = "\n" + std::string(name) + ":";
  auto at = text->find(start);
  if (at == text->npos) return {};
  at += start.size();
  return text->substr(at, text->find_first_of("\r\n", at) - at);
}

std::string where(const asio::ip::tcp::endpoint& address) {
  const std::string host = address.address().to_string();
  return (address.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(address.port());
}

// Why this server cannot serve us; nothing when it can.
asio::awaitable<Dialled> inspect(std::shared_ptr<Connection> connection, int database, Clock::time_point deadline) {
  if (database != 0) {
    const Answer selected = co_await ask(connection, {"SELECT", std::to_string(database)}, deadline);
    if (const auto* failure = std::get_if<std::string>(&selected)) co_return *failure;
  }
  const Answer server = co_await ask(connection, {"INFO", "server"}, deadline);
  if (const auto* failure = std::get_if<std::string>(&server)) co_return *failure;
  const Answer replication = co_await ask(connection, {"INFO", "replication"}, deadline);
  if (const auto* failure = std::get_if<std::string>(&replication)) co_return *failure;
  const std::string run_id = info_field(std::get<Value>(server), "run_id");
  if (run_id.empty()) co_return std::string("INFO names no run_id: is this Redis?");
  if (info_field(std::get<Value>(replication), "role") != "master") co_return std::string("the server is a replica");
  const Answer ping = co_await ask(connection, {"PING"}, deadline);  // LOADING and BUSY say so here
  if (const auto* failure = std::get_if<std::string>(&ping); failure && !failure->starts_with("PING: MISCONF"))
    co_return *failure;
  co_return Ready{connection, run_id};
}

}  // namespace

Dialler::Dialler(asio::io_context& io, std::shared_ptr<const Options> options) : io_(io), options_(std::move(options)) {
  if (!options_->url.master.empty()) sentinels_ = options_->url.endpoints;
}

asio::awaitable<Dialled> Dialler::dial(std::shared_ptr<Dialler> self) {
  if (self->sentinels_.empty()) co_return co_await dial_master(self, self->options_->url.endpoints.at(0));
  const Found master = co_await ask_sentinels(self);
  if (const auto* failure = std::get_if<std::string>(&master)) co_return *failure;
  co_return co_await dial_master(self, std::get<Endpoint>(master));
}

asio::awaitable<Dialled> Dialler::dial_master(std::shared_ptr<Dialler> self, Endpoint master) {
  const Url& url = self->options_->url;
  const Opened opened = co_await open(self, master, {url.user, url.password});
  if (const auto* failure = std::get_if<std::string>(&opened)) co_return *failure;
  co_return co_await inspect(std::get<0>(opened), url.database, Clock::now() + self->options_->connect_timeout);
}

// Each address of the name in turn.
asio::awaitable<Dialler::Opened> Dialler::open(std::shared_ptr<Dialler> self, Endpoint endpoint,
                                               Credentials credentials) {
  const Options& options = *self->options_;
  const auto addresses = co_await resolve(self->io_, endpoint, Clock::now() + options.connect_timeout);
  std::string failure = printable(endpoint.host) + " was not resolved";
  for (const auto& address : addresses) {
    const auto deadline = Clock::now() + options.connect_timeout;
    auto connection =
        Connection::open(self->io_, address,
                         {options.stall_timeout, options.max_reply_bytes, options.max_unsent_bytes, options.timeout});
    if (!co_await Connection::opened(connection, deadline)) {
      failure = where(address) + ": " + connection->error();
      continue;
    }
    failure = co_await authenticate(connection, credentials.first, credentials.second, deadline);
    if (failure.empty()) co_return connection;
    failure = where(address) + ": " + failure;
  }
  co_return failure;
}

asio::awaitable<Dialler::Found> Dialler::ask_sentinels(std::shared_ptr<Dialler> self) {
  std::string failure = "no sentinel";
  for (std::size_t i = 0; i < self->sentinels_.size(); ++i) {
    const Found found = co_await ask_sentinel(self, self->sentinels_[i]);
    if (std::holds_alternative<Endpoint>(found)) {
      std::rotate(self->sentinels_.begin(), self->sentinels_.begin() + static_cast<std::ptrdiff_t>(i),
                  self->sentinels_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      co_return found;
    }
    failure = std::get<std::string>(found);
  }
  co_return "no sentinel names the master; the last one: " + failure;
}

asio::awaitable<Dialler::Found> Dialler::ask_sentinel(std::shared_ptr<Dialler> self, Endpoint sentinel) {
  const Options& options = *self->options_;
  const Opened opened = co_await open(self, sentinel, {});  // without a password: the URL's is the master's
  if (const auto* failure = std::get_if<std::string>(&opened)) co_return *failure;
  const Answer answer = co_await ask(std::get<0>(opened), {"SENTINEL", "get-master-addr-by-name", options.url.master},
                                     Clock::now() + options.connect_timeout);
  if (const auto* failure = std::get_if<std::string>(&answer)) co_return *failure;
  const Value& value = std::get<Value>(answer);
  if (std::holds_alternative<Nil>(value.data)) co_return "it knows no master named " + printable(options.url.master);
  const auto* pair = std::get_if<Array>(&value.data);
  const auto* host = pair && pair->size() == 2 ? std::get_if<std::string>(&(*pair)[0].data) : nullptr;
  const auto* port = host ? std::get_if<std::string>(&(*pair)[1].data) : nullptr;
  const int number = port && port->size() <= 5 ? std::atoi(port->c_str()) : 0;
  if (number < 1 || number > 65535) co_return std::string("its answer is no host and port");
  co_return Endpoint{*host, static_cast<std::uint16_t>(number)};
}

}  // namespace gateway::redis
