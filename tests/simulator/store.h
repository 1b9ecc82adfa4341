// The contacts of every location with their parts, and the search index beside them, which shows a write only after a
// lag. Single gets read the store; lists and searches read the index. No lock of its own: the Simulator guards it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/simulator/contact.h"

namespace simulator {

struct Record {
  ContactPtr contact;
  std::vector<Task> tasks;
  std::vector<Note> notes;
  std::vector<Appointment> appointments;
};

// The order of lists: the newest first, equal moments by id.
struct ListKey {
  std::int64_t added_ms = 0;
  std::string id;
  bool operator<(const ListKey& other) const {
    return added_ms != other.added_ms ? added_ms > other.added_ms : id < other.id;
  }
};
using Index = std::map<ListKey, ContactPtr>;

class Store {
 public:
  explicit Store(std::chrono::microseconds index_lag) : index_lag_(index_lag) {}

  Record* find(const std::string& id);
  void put(ContactPtr contact, std::chrono::microseconds now);  // a new contact or a new version of one
  void erase(const std::string& id, std::chrono::microseconds now);

  // As the database knows them, without lag: what creating and upserting compare with.
  ContactPtr by_email(const std::string& location, std::string_view email);
  ContactPtr by_phone(const std::string& location, std::string_view phone);

  // What lists and searches see at `now`; `now` never goes back.
  const Index& index(const std::string& location, std::chrono::microseconds now);
  std::size_t size() const { return records_.size(); }
  const std::unordered_map<std::string, Record>& records() const { return records_; }

 private:
  struct Pending {
    std::chrono::microseconds visible_at{0};
    ContactPtr contact;
    bool erased = false;
  };
  using Lookup = std::unordered_multimap<std::string, std::string>;  // location, '/' and value -> contact id
  void publish(ContactPtr contact, bool erased, std::chrono::microseconds now);
  void show(const Pending& change);
  void link(const Contact& contact);
  void unlink(const Contact& contact);
  ContactPtr look_up(const Lookup& lookup, const std::string& key);

  std::chrono::microseconds index_lag_;
  std::unordered_map<std::string, Record> records_;
  std::unordered_map<std::string, Index> indexes_;
  std::deque<Pending> pending_;  // in the order of visible_at, since the lag is the same for all
  Lookup emails_;
  Lookup phones_;
};

}  // namespace simulator
