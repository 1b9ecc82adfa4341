#include "gateway/flows/store.h"

#include <algorithm>
#include <utility>

#include "gateway/log/log.h"

namespace gateway::flows {

using namespace std::chrono_literals;
using redis::Array;
using redis::Value;

namespace {

constexpr auto kLimit = 2'000ms;  // of one command: with appendfsync always each waits for the disk
constexpr auto kSeen = std::chrono::hours(24);
constexpr std::size_t kMostLetters = 100'000;
constexpr std::size_t kBatch = 1'000;
const std::string kQueue = "cg:flows:queue", kGroup = "flows", kRun = "cg:flows:run:";

std::string text(std::int64_t number) { return std::to_string(number); }
std::string text(std::chrono::milliseconds duration) { return std::to_string(duration.count()); }

std::string text_of(const Value& value) {
  if (const auto* words = std::get_if<std::string>(&value.data)) return *words;
  if (const auto* number = std::get_if<std::int64_t>(&value.data)) return text(*number);
  return {};
}

const Array* array_of(const Value& value) { return std::get_if<Array>(&value.data); }

bool is_error(const redis::Result& result, std::string_view code) {
  const auto* value = std::get_if<Value>(&result);
  const auto* error = value ? std::get_if<redis::Error>(&value->data) : nullptr;
  return error != nullptr && error->message.starts_with(code);
}

// [[id, [r, run]], …]; an entry without fields was deleted meanwhile.
std::vector<Taken> entries_of(const Value& value) {
  std::vector<Taken> taken;
  const auto* entries = array_of(value);
  if (entries == nullptr) return taken;
  for (const auto& entry : *entries) {
    const auto* parts = array_of(entry);
    const auto* fields = parts != nullptr && parts->size() == 2 ? array_of((*parts)[1]) : nullptr;
    if (fields != nullptr && fields->size() >= 2) taken.push_back({text_of((*parts)[0]), text_of((*fields)[1])});
  }
  return taken;
}

std::map<std::string, std::string> pairs_of(const Array& fields) {
  std::map<std::string, std::string> pairs;
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) pairs[text_of(fields[i])] = text_of(fields[i + 1]);
  return pairs;
}

}  // namespace

Store::Store(redis::Client& client, redis::Client& reader, std::string consumer, std::chrono::milliseconds block)
    : client_(client), reader_(reader), consumer_(std::move(consumer)), block_(block) {}

asio::awaitable<std::optional<Value>> Store::run(scripts::ScriptPtr script, std::vector<std::string> arguments) {
  auto result = co_await client_.eval(std::move(script), {}, std::move(arguments), kLimit);
  auto* value = std::get_if<Value>(&result);
  if (value == nullptr) co_return std::nullopt;
  if (const auto* error = std::get_if<redis::Error>(&value->data)) {
    log::warn("flows_redis_error", {{"error", std::string_view(error->message)}});
    co_return std::nullopt;
  }
  co_return std::move(*value);
}

asio::awaitable<std::optional<std::int64_t>> Store::number(scripts::ScriptPtr script,
                                                           std::vector<std::string> arguments) {
  const auto value = co_await run(std::move(script), std::move(arguments));
  const auto* found = value ? std::get_if<std::int64_t>(&value->data) : nullptr;
  co_return found ? std::optional(*found) : std::nullopt;
}

asio::awaitable<Kept> Store::owned(scripts::ScriptPtr script, std::vector<std::string> arguments) {
  const auto done = co_await number(std::move(script), std::move(arguments));
  co_return !done ? Kept::Unavailable : *done == 1 ? Kept::Yes : Kept::Lost;
}

asio::awaitable<Enqueued> Store::enqueue(Event event, std::vector<NewRun> runs, std::string fingerprint) {
  std::vector<std::string> arguments{event.id,
                                     std::move(fingerprint),
                                     text(kSeen),
                                     event.id,
                                     event.kind,
                                     event.type,
                                     event.source,
                                     event.location,
                                     text(event.at),
                                     std::move(event.body),
                                     event.proves ? "1" : "0"};
  for (auto& added : runs)
    arguments.insert(arguments.end(), {std::move(added.id), std::move(added.flow), std::move(added.order)});
  co_await client_.connected(kLimit);  // a short absence is waited out, rather than made the sender's business
  const auto done = co_await number(scripts::enqueue(), std::move(arguments));
  co_return !done ? Enqueued::Unavailable
  : *done == 1    ? Enqueued::New
  : *done == 0    ? Enqueued::Before
                  : Enqueued::Different;
}

asio::awaitable<std::optional<std::int64_t>> Store::tick(std::string flow, policies::WallMillis slot, std::string run,
                                                         policies::WallMillis now, std::string body) {
  std::vector<std::string> arguments{std::move(flow), text(slot), std::move(run), text(now), std::move(body)};
  co_return co_await number(scripts::tick(), std::move(arguments));
}

asio::awaitable<void> Store::make_group() {
  std::vector<std::string> command{"XGROUP", "CREATE", kQueue, kGroup, "0", "MKSTREAM"};
  co_await client_.command(std::move(command), kLimit);
}

asio::awaitable<std::optional<std::vector<Taken>>> Store::take(std::size_t most) {
  std::vector<std::string> command{
      "XREADGROUP", "GROUP",      kGroup,    consumer_, "COUNT", text(static_cast<int>(most)),
      "BLOCK",      text(block_), "STREAMS", kQueue,    ">"};
  const auto result = co_await reader_.command(std::move(command), block_ + kLimit);
  if (is_error(result, "NOGROUP")) {  // the first start, or a Redis that came back empty
    co_await make_group();
    co_return std::vector<Taken>{};
  }
  const auto* value = std::get_if<Value>(&result);
  if (value == nullptr || std::holds_alternative<redis::Error>(value->data)) co_return std::nullopt;
  const auto* streams = array_of(*value);
  const auto* stream = streams != nullptr && !streams->empty() ? array_of(streams->front()) : nullptr;
  if (stream == nullptr || stream->size() < 2) co_return std::vector<Taken>{};
  co_return entries_of((*stream)[1]);
}

asio::awaitable<std::vector<Taken>> Store::claim(std::size_t most, std::chrono::milliseconds idle) {
  std::vector<std::string> command{"XAUTOCLAIM", kQueue,  kGroup,  consumer_,
                                   text(idle),   cursor_, "COUNT", text(static_cast<int>(most))};
  const auto result = co_await client_.command(std::move(command), kLimit);
  const auto* value = std::get_if<Value>(&result);
  const auto* parts = value != nullptr ? array_of(*value) : nullptr;
  if (parts == nullptr || parts->size() < 2) co_return std::vector<Taken>{};
  cursor_ = text_of(parts->front());
  co_return entries_of((*parts)[1]);
}

asio::awaitable<std::optional<std::vector<bool>>> Store::renew(std::vector<std::string> entries) {
  entries.insert(entries.begin(), consumer_);
  const auto value = co_await run(scripts::renew(), std::move(entries));
  const auto* kept = value ? array_of(*value) : nullptr;
  if (kept == nullptr) co_return std::nullopt;
  std::vector<bool> out;
  for (const auto& one : *kept) out.push_back(text_of(one) == "1");
  co_return out;
}

asio::awaitable<void> Store::release(std::vector<std::string> entries) {
  entries.insert(entries.begin(), consumer_);
  co_await number(scripts::release(), std::move(entries));
}

asio::awaitable<std::variant<Run, Kept>> Store::load(std::string id) {
  std::vector<std::string> command{"HGETALL", kRun + id};
  const auto result = co_await client_.command(std::move(command), kLimit);
  const auto* value = std::get_if<Value>(&result);
  const auto* fields = value != nullptr ? array_of(*value) : nullptr;
  if (fields == nullptr) co_return Kept::Unavailable;
  if (fields->empty()) co_return Kept::Lost;
  auto pairs = pairs_of(*fields);
  Run run;
  run.id = std::move(id);
  run.flow = pairs["flow"];
  run.tries = std::atoi(pairs["tries"].c_str());
  run.round = std::atoi(pairs["round"].c_str());
  run.event = {pairs["event"],  pairs["kind"],         pairs["type"],
               pairs["source"], pairs["location"],     policies::WallMillis(std::atoll(pairs["at"].c_str())),
               pairs["body"],   pairs["proves"] == "1"};
  for (auto& [name, answer] : pairs)
    if (name.starts_with("s:")) run.steps[name.substr(2)] = std::move(answer);
  co_return run;
}

asio::awaitable<std::int64_t> Store::count_claim(std::string run) {
  std::vector<std::string> command{"HINCRBY", kRun + run, "claims", "1"};
  const auto result = co_await client_.command(std::move(command), kLimit);
  const auto* value = std::get_if<Value>(&result);
  const auto* count = value != nullptr ? std::get_if<std::int64_t>(&value->data) : nullptr;
  co_return count != nullptr ? *count : 0;
}

asio::awaitable<Kept> Store::note(Taken taken, std::string step, std::string value) {
  std::vector<std::string> arguments{taken.entry, consumer_, taken.run, std::move(step), std::move(value)};
  co_return co_await owned(scripts::note(), std::move(arguments));
}

asio::awaitable<Kept> Store::finish(Taken taken) {
  std::vector<std::string> arguments{taken.entry, consumer_, taken.run};
  co_return co_await owned(scripts::finish(), std::move(arguments));
}

asio::awaitable<Kept> Store::park(Taken taken, Park how) {
  std::vector<std::string> arguments{taken.entry,
                                     consumer_,
                                     taken.run,
                                     text(how.delay),
                                     how.counted ? "1" : "0",
                                     std::move(how.step),
                                     std::move(how.value),
                                     std::move(how.reason)};
  co_return co_await owned(scripts::park(), std::move(arguments));
}

asio::awaitable<Kept> Store::bury(Taken taken, DeadReason why) {
  std::vector<std::string> arguments{taken.entry,
                                     consumer_,
                                     taken.run,
                                     std::move(why.step),
                                     std::move(why.field),
                                     std::move(why.reason),
                                     std::move(why.detail),
                                     text(static_cast<std::int64_t>(kMostLetters))};
  const auto value = co_await run(scripts::bury(), std::move(arguments));
  const auto* done = value ? array_of(*value) : nullptr;
  if (done == nullptr || done->size() < 2) co_return Kept::Unavailable;
  const auto dropped = std::atoll(text_of((*done)[1]).c_str());
  dropped_ += static_cast<std::uint64_t>(dropped);
  if (dropped > 0) log::error("flows_dead_letters_dropped", {{"count", std::int64_t{dropped}}});
  co_return text_of(done->front()) == "1" ? Kept::Yes : Kept::Lost;
}

asio::awaitable<void> Store::wake() {
  for (;;) {
    std::vector<std::string> arguments{text(static_cast<std::int64_t>(kBatch))};
    const auto woken = co_await number(scripts::wake(), std::move(arguments));
    if (woken.value_or(0) < static_cast<std::int64_t>(kBatch)) co_return;
  }
}

asio::awaitable<void> Store::tidy() {
  std::vector<std::string> arguments{consumer_, text(std::chrono::hours(1))};
  co_await number(scripts::tidy(), std::move(arguments));
}

asio::awaitable<std::optional<Counts>> Store::count() {
  const auto value = co_await run(scripts::count(), {});
  const auto* numbers = value ? array_of(*value) : nullptr;
  if (numbers == nullptr || numbers->size() < 4) co_return std::nullopt;
  const auto at = [&](std::size_t i) { return std::atoll(text_of((*numbers)[i]).c_str()); };
  co_return Counts{at(0), at(1), at(2), std::chrono::milliseconds(at(3))};
}

asio::awaitable<std::optional<std::string>> Store::doubt() {
  std::vector<std::string> command{"INFO"};
  const auto result = co_await client_.command(std::move(command), kLimit);
  const auto* value = std::get_if<Value>(&result);
  if (value == nullptr) co_return std::nullopt;
  const auto info = text_of(*value);
  if (info.find("\nmaxmemory_policy:allkeys-") != std::string::npos &&
      info.find("\nmaxmemory:0\r") == std::string::npos)
    co_return "Redis may evict the runs of flows: set maxmemory-policy to noeviction or volatile-*";
  if (info.find("\naof_enabled:0") != std::string::npos)
    co_return "Redis keeps no append-only file: acknowledged events are lost when it ends";
  co_return "";
}

asio::awaitable<std::optional<std::vector<DeadLetter>>> Store::letters(std::size_t most) {
  std::vector<std::string> arguments{text(static_cast<std::int64_t>(most))};
  const auto value = co_await run(scripts::letters(), std::move(arguments));
  const auto* lines = value ? array_of(*value) : nullptr;
  if (lines == nullptr) co_return std::nullopt;
  std::vector<DeadLetter> letters;
  for (const auto& line : *lines) {
    const auto* f = array_of(line);
    if (f == nullptr || f->size() < 8) continue;
    letters.push_back({text_of((*f)[0]), text_of((*f)[1]), text_of((*f)[2]), text_of((*f)[3]), text_of((*f)[4]),
                       text_of((*f)[5]), text_of((*f)[6]), text_of((*f)[7])});
  }
  co_return letters;
}

asio::awaitable<std::optional<std::map<std::string, std::string>>> Store::letter(std::string run) {
  std::vector<std::string> command{"HGETALL", kRun + run};
  const auto result = co_await client_.command(std::move(command), kLimit);
  const auto* value = std::get_if<Value>(&result);
  const auto* fields = value != nullptr ? array_of(*value) : nullptr;
  if (fields == nullptr) co_return std::nullopt;
  co_return pairs_of(*fields);
}

asio::awaitable<std::optional<std::int64_t>> Store::retry(std::string run) {
  return of_letters(scripts::retry(), std::move(run));
}

asio::awaitable<std::optional<std::int64_t>> Store::drop(std::string run) {
  return of_letters(scripts::drop(), std::move(run));
}

// Without a run: all letters that are there now. A run that fails again meanwhile makes a new letter, which is not
// among them.
asio::awaitable<std::optional<std::int64_t>> Store::of_letters(scripts::ScriptPtr script, std::string run) {
  const auto before = co_await count();
  if (!before) co_return std::nullopt;
  std::int64_t all = 0;
  do {
    const auto batch = std::min<std::int64_t>(kBatch, std::max<std::int64_t>(before->dead - all, 1));
    std::vector<std::string> arguments{run, text(batch)};
    const auto done = co_await number(script, std::move(arguments));
    if (!done) co_return std::nullopt;
    all += *done;
    if (*done < batch) break;
  } while (run.empty() && all < before->dead);
  co_return all;
}

}  // namespace gateway::flows
