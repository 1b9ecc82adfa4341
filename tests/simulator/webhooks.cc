#include "tests/simulator/webhooks.h"

namespace simulator {

namespace {

constexpr std::chrono::milliseconds kStepLimit{5000};

// What the event lacks of `timestamp` and `webhookId` is put in: the signature covers both.
std::string completed_event(const Value& event, const Now& now) {
  Document whole;
  whole.CopyFrom(event, whole.GetAllocator());
  const auto add = [&](const char* name, const std::string& text) {
    if (whole.HasMember(name)) return;
    whole.AddMember(Value(name, whole.GetAllocator()), Value(text.c_str(), whole.GetAllocator()), whole.GetAllocator());
  };
  add("timestamp", iso8601(now.wall));
  Random random(static_cast<std::uint64_t>(now.steady.count()));
  add("webhookId", trace_id(random));
  return to_json(whole);
}

}  // namespace

Webhooks::Webhooks(WebhookOptions options)
    : options_(std::move(options)),
      signer_(Signer::Kind::Ed25519, options_.key),
      legacy_(options_.legacy || !options_.legacy_key.empty()
                  ? std::make_unique<const Signer>(Signer::Kind::Rsa, options_.legacy_key)
                  : nullptr),
      url_(options_.url),
      thread_([this] { run(); }) {}

Webhooks::~Webhooks() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool Webhooks::wants_events() const {
  const Lock lock(mutex_);
  return !url_.empty();
}

void Webhooks::send(std::string body) {
  const Lock lock(mutex_);
  push({std::move(body), Signature::Valid});
}

void Webhooks::push(Delivery delivery) {
  ++book_.queued;
  queue_.push_back(std::move(delivery));
  changed_.notify_all();
}

void Webhooks::run() {
  for (;;) {
    Delivery next;
    std::optional<Url> url;
    {
      const Lock lock(mutex_);
      while (queue_.empty() && !stopping_) changed_.wait(mutex_);
      if (stopping_) return;
      next = std::move(queue_.front());
      queue_.pop_front();
      url = parse_url(url_);
    }
    if (url) deliver(next, *url);
  }
}

void Webhooks::deliver(const Delivery& delivery, const Url& url) {
  auto length = options_.first_pause;
  for (std::size_t attempt = 1;; ++attempt) {
    const int status = http_.post(url, fields(delivery), delivery.body, kStepLimit);
    const bool delivered = status >= 200 && status < 300;
    // A refusal is final, unless it asks for patience: only then is the next attempt any different.
    const bool final =
        delivered || attempt >= options_.attempts || (status >= 400 && status < 500 && status != 408 && status != 429);
    {
      const Lock lock(mutex_);
      book_.last_status = status;
      if (delivered)
        ++book_.delivered;
      else if (final)
        ++book_.failed;
      else
        ++book_.retries;
    }
    if (final || !pause(length)) return;
    length *= 2;
  }
}

bool Webhooks::pause(std::chrono::milliseconds length) {
  const auto until = std::chrono::steady_clock::now() + length;
  const Lock lock(mutex_);
  while (!stopping_ && std::chrono::steady_clock::now() < until) changed_.wait_until(mutex_, until);
  return !stopping_;
}

std::vector<std::pair<std::string, std::string>> Webhooks::fields(const Delivery& delivery) const {
  if (delivery.signature == Signature::None) return {};
  if (delivery.signature == Signature::Forged) return {{"x-ghl-signature", signer_.sign(delivery.body + " ")}};
  std::vector<std::pair<std::string, std::string>> out;
  if (delivery.signature == Signature::Valid) out.emplace_back("x-ghl-signature", signer_.sign(delivery.body));
  if (legacy_ != nullptr) out.emplace_back("x-wh-signature", legacy_->sign(delivery.body));
  return out;
}

Answer Webhooks::control(const Call& call, const Now& now) {
  const auto body = parse_json(call.body);
  if (call.method == "GET") return {200, book()};
  if (!body || !body->IsObject() || call.method != "POST") return error(400, "expected POST with a JSON object");
  if (call.path == "/_simulator/webhooks/send") return send_given(*body, now);
  const auto url = string_member(*body, "url");
  if (!url || (!url->empty() && !parse_url(*url))) return error(400, "'url' must be an http:// URL, or empty to stop");
  const Lock lock(mutex_);
  url_ = *url;
  return {200, R"({"ok":true})"};
}

Answer Webhooks::send_given(const Document& body, const Now& now) {
  if (!body.HasMember("event") || !body["event"].IsObject()) return error(400, "'event' must be an object");
  const std::string named = string_member(body, "signature").value_or("valid");
  Delivery delivery{completed_event(body["event"], now), Signature::Valid};
  if (named == "legacy" && legacy_ != nullptr)
    delivery.signature = Signature::Legacy;
  else if (named == "forged")
    delivery.signature = Signature::Forged;
  else if (named == "none")
    delivery.signature = Signature::None;
  else if (named != "valid")
    return error(400, "'signature' must be valid, legacy (with --webhook-legacy), forged or none");
  const Lock lock(mutex_);
  if (url_.empty()) return error(400, "no webhook URL is set");
  const std::string sent = delivery.body;
  push(std::move(delivery));
  return {200, sent};
}

std::string Webhooks::book() const {
  JsonWriter json;
  const Lock lock(mutex_);
  json.object().member("url", url_).member("public_key", signer_.public_key());
  if (legacy_ != nullptr) json.member("legacy_public_key", legacy_->public_key());
  json.count("queued", book_.queued).count("delivered", book_.delivered).count("failed", book_.failed);
  json.count("retries", book_.retries)
      .key("last_status")
      .number(static_cast<long long>(book_.last_status))
      .end_object();
  return json.take();
}

}  // namespace simulator
