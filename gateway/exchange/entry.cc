#include "gateway/exchange/entry.h"

#include "gateway/exchange/answer.h"
#include "policies/cache_key.h"
#include "policies/conditional.h"
#include "policies/field_syntax.h"

namespace gateway::exchange {

namespace {
std::shared_ptr<cache::Entry> make_entry(int status, const policies::Fields& fields, std::string&& body,
                                         policies::WallTime received) {
  return cache::Entry::make(status, prepared_head(status, fields, body.size(), received), std::move(body));
}

constexpr std::string_view kOwnEtag = "\"cg-";  // how a validator of ours begins: upstream is never asked about it

std::string own_etag(std::string_view body) {
  std::string etag = policies::make_etag(body);
  return etag.replace(0, 1, kOwnEtag);
}
// What is in a coding is one of several representations, also where the upstream forgets to say so (RFC 9110 section
// 12.5.5): whoever does not take that coding must not get it from the cache.
void tell_of_coding(policies::Fields& fields) {
  if (!fields.find("Content-Encoding")) return;
  const auto vary = policies::combined_field(fields.view(), "Vary").value_or("");
  for (std::string_view rest = vary; !rest.empty();) {
    const auto name = policies::take_element(rest);
    if (name == "*" || policies::same_name(name, "Accept-Encoding")) return;
  }
  fields.add("Vary", "Accept-Encoding");
}
}  // namespace

Kept keep(const Request& request, upstream::Response answer, const policies::Times& rule, const cache::Guard& guard,
          const Fetch& fetch, VaryNames& names) {
  Kept kept;
  if (answer.status == 200 && !answer.fields.find("ETag")) answer.fields.add("ETag", own_etag(answer.body));
  tell_of_coding(answer.fields);
  const auto view = answer.fields.view();
  const auto vary = policies::combined_field(view, "Vary").value_or("");
  const auto lifetimes =
      policies::lifetimes_of({answer.status, view, fetch.requested, fetch.received}, request.directives, rule);
  kept.response.status = answer.status;
  kept.response.fields = std::move(answer.fields);
  if (!std::holds_alternative<policies::Storable>(lifetimes) || !names.learn(request.operation->index, vary)) {
    kept.response.body = std::make_shared<const std::string>(std::move(answer.body));
    return kept;
  }
  auto entry = make_entry(answer.status, kept.response.fields, std::move(answer.body), fetch.received);
  entry->received = fetch.received_boottime;
  entry->set_lifetimes(std::get<policies::Storable>(lifetimes));
  entry->depend_on(guard);
  kept.keep = std::get<policies::Storable>(lifetimes).keep;
  kept.key = request.base_key;
  if (const auto known = names.of(request.operation->index))
    kept.key += policies::vary_key(*known, request.fields.view()).value_or("");
  kept.response.body = entry->body().size() > cache::Entry::kOwnBody
                           ? cache::Entry::body_of(entry)
                           : std::make_shared<const std::string>(std::move(answer.body));
  kept.entry = std::move(entry);
  return kept;
}

upstream::Response renewed(const cache::Entry& entry, const upstream::Response& not_modified) {
  upstream::Response out;
  out.status = entry.status();
  out.fields = policies::renewed_fields(fields_of(entry).view(), not_modified.fields.view());
  out.body = entry.body();
  return out;
}

policies::Fields validators_of(const cache::Entry& entry) {
  policies::Fields stored;
  const auto etag = prepared_value(entry.head(), "ETag"), last_modified = prepared_value(entry.head(), "Last-Modified");
  if (!etag.empty() && !etag.starts_with(kOwnEtag)) stored.add("ETag", std::string(etag));
  if (!last_modified.empty()) stored.add("Last-Modified", std::string(last_modified));
  return policies::revalidation_fields(stored.view());
}

bool holds_already(policies::FieldsView request, const cache::Entry& entry) {
  if (entry.status() != 200) return false;
  if (!policies::find_field(request, "If-None-Match") && !policies::find_field(request, "If-Modified-Since"))
    return false;
  return policies::not_modified(request, prepared_value(entry.head(), "ETag"),
                                prepared_value(entry.head(), "Last-Modified"));
}

std::shared_ptr<const cache::Entry> entry_of(cache::FoundEntry found, const cache::Guard& guard,
                                             milliseconds tier_now) {
  found.entry->received = cache::boottime() - std::max(tier_now - found.stored_at, milliseconds(0));
  found.entry->depend_on(guard);
  return std::move(found.entry);
}

std::shared_ptr<const cache::StoredEntry> stored_entry_of(const Kept& kept,
                                                          const std::vector<std::string>& surrogate_keys,
                                                          const cache::Found& found, milliseconds looked_up) {
  const cache::Entry& entry = *kept.entry;
  const auto lifetimes = entry.lifetimes();
  auto stored = std::make_shared<cache::StoredEntry>();
  stored->status = entry.status();
  stored->head = entry.head();
  stored->body = entry.body();
  stored->epoch = found.view.epoch;
  for (std::size_t i = 0; i < surrogate_keys.size(); ++i)
    stored->generations.emplace_back(surrogate_keys[i], found.view.generations[i]);
  stored->stored_at_ms = (found.now + (entry.received - looked_up)).count();
  stored->initial_age_ms = lifetimes.initial_age.count();
  stored->fresh_ms = lifetimes.fresh.count();
  stored->stale_while_revalidate_ms = lifetimes.stale_while_revalidate.count();
  stored->stale_if_error_ms = lifetimes.stale_if_error.count();
  stored->keep_ms = kept.keep.count();
  stored->must_revalidate = lifetimes.must_revalidate;
  return stored;
}

std::string variant_of(const Request& request, const server::Response& response) {
  const auto vary = policies::combined_field(response.fields.view(), "Vary");
  return vary ? policies::vary_key(*vary, request.fields.view()).value_or("*") : std::string();
}

}  // namespace gateway::exchange
