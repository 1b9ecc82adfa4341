#include "tests/simulator/store.h"

namespace simulator {

namespace {

std::string lookup_key(const std::string& location, std::string_view value) {
  return location + '/' + std::string(value);
}

void drop(std::unordered_multimap<std::string, std::string>& lookup, const std::string& key, const std::string& id) {
  auto [first, last] = lookup.equal_range(key);
  for (; first != last; ++first) {
    if (first->second == id) {
      lookup.erase(first);
      return;
    }
  }
}

}  // namespace

Record* Store::find(const std::string& id) {
  const auto found = records_.find(id);
  return found == records_.end() ? nullptr : &found->second;
}

void Store::put(ContactPtr contact, std::chrono::microseconds now) {
  Record& record = records_[contact->id];
  if (record.contact) unlink(*record.contact);
  record.contact = contact;
  link(*contact);
  publish(std::move(contact), false, now);
}

void Store::erase(const std::string& id, std::chrono::microseconds now) {
  const auto found = records_.find(id);
  if (found == records_.end()) return;
  ContactPtr contact = found->second.contact;
  unlink(*contact);
  records_.erase(found);
  publish(std::move(contact), true, now);
}

ContactPtr Store::by_email(const std::string& location, std::string_view email) {
  return look_up(emails_, lookup_key(location, lower_case(email)));
}

ContactPtr Store::by_phone(const std::string& location, std::string_view phone) {
  return look_up(phones_, lookup_key(location, normalised_phone(phone)));
}

// Several contacts may share a value where duplicates are allowed: the oldest answers, by id where they are as old.
ContactPtr Store::look_up(const Lookup& lookup, const std::string& key) {
  ContactPtr oldest;
  auto [first, last] = lookup.equal_range(key);
  for (; first != last; ++first) {
    const ContactPtr& contact = records_.at(first->second).contact;
    if (!oldest || contact->added < oldest->added || (contact->added == oldest->added && contact->id < oldest->id)) {
      oldest = contact;
    }
  }
  return oldest;
}

const Index& Store::index(const std::string& location, std::chrono::microseconds now) {
  while (!pending_.empty() && pending_.front().visible_at <= now) {
    show(pending_.front());
    pending_.pop_front();
  }
  return indexes_[location];
}

void Store::publish(ContactPtr contact, bool erased, std::chrono::microseconds now) {
  Pending change{now + index_lag_, std::move(contact), erased};
  if (index_lag_.count() == 0)
    show(change);
  else
    pending_.push_back(std::move(change));
}

void Store::show(const Pending& change) {
  Index& index = indexes_[change.contact->location];
  const ListKey key{change.contact->added.count(), change.contact->id};
  if (change.erased)
    index.erase(key);
  else
    index[key] = change.contact;
}

void Store::link(const Contact& contact) {
  if (const auto& email = contact.text(Text::Email)) {
    emails_.emplace(lookup_key(contact.location, lower_case(*email)), contact.id);
  }
  if (const auto& phone = contact.text(Text::Phone)) phones_.emplace(lookup_key(contact.location, *phone), contact.id);
}

void Store::unlink(const Contact& contact) {
  if (const auto& email = contact.text(Text::Email)) {
    drop(emails_, lookup_key(contact.location, lower_case(*email)), contact.id);
  }
  if (const auto& phone = contact.text(Text::Phone)) drop(phones_, lookup_key(contact.location, *phone), contact.id);
}

}  // namespace simulator
