#include "tests/simulator/world.h"

namespace simulator {

namespace {

constexpr std::chrono::milliseconds kFirstMoment{1'704'067'200'000};  // 2024-01-01T00:00:00Z
constexpr std::array<const char*, 8> kFirstNames = {"Rosan",  "Ada",     "Grace",  "Alan",
                                                    "Edsger", "Barbara", "Donald", "Radia"};
constexpr std::array<const char*, 8> kLastNames = {"Deo",      "Lovelace", "Hopper", "Turing",
                                                   "Dijkstra", "Liskov",   "Knuth",  "Perlman"};

ContactPtr seeded_contact(const std::string& location, std::uint64_t number, std::chrono::milliseconds moment) {
  Contact contact;
  contact.id = numbered_id("contact", number);
  contact.location = location;
  contact.added = contact.updated = moment;
  const std::string first = kFirstNames[number % kFirstNames.size()];
  const std::string last = kLastNames[number / kFirstNames.size() % kLastNames.size()];
  contact.text(Text::FirstName) = first;
  contact.text(Text::LastName) = last;
  contact.text(Text::Name) = first + " " + last;
  contact.text(Text::Email) = lower_case(first) + "." + std::to_string(number) + "@example.com";
  contact.text(Text::Phone) = "+1" + std::to_string(5'550'000'000 + number);
  contact.text(Text::City) = "Dolomite";
  contact.text(Text::State) = "AL";
  contact.text(Text::Country) = "US";
  contact.text(Text::PostalCode) = "35061";
  contact.text(Text::Source) = "public api";
  contact.text(Text::CompanyName) = "DGS VolMAX";
  contact.tags = {number % 2 == 0 ? "customer" : "lead"};
  return std::make_shared<const Contact>(std::move(contact));
}

void seed_parts(Record& record, const Seed& what, std::uint64_t number, std::chrono::milliseconds moment) {
  for (std::size_t i = 0; i < what.tasks; ++i) {
    record.tasks.push_back({numbered_id("task", number * 100 + i), "Call back", "Ask about the offer", std::nullopt,
                            iso8601(moment + std::chrono::hours(24)), false, moment});
  }
  for (std::size_t i = 0; i < what.notes; ++i) {
    record.notes.push_back({numbered_id("note", number * 100 + i), "Met at the fair", std::nullopt, std::nullopt,
                            std::nullopt, false, moment});
  }
  for (std::size_t i = 0; i < what.appointments; ++i) {
    record.appointments.push_back({numbered_id("event", number * 100 + i), "First talk", "calendar000000000001",
                                   iso8601(moment + std::chrono::hours(48)), iso8601(moment + std::chrono::hours(49)),
                                   moment});
  }
}

}  // namespace

void seed(World& world, const Seed& what, std::chrono::microseconds now) {
  seed_items(world.items, what.location, numbered_id("contact", world.seeded + 1));
  for (std::size_t i = 0; i < what.contacts; ++i) {
    const std::uint64_t number = ++world.seeded;
    const std::chrono::milliseconds moment = kFirstMoment + std::chrono::seconds(number);
    const ContactPtr contact = seeded_contact(what.location, number, moment);
    world.store.put(contact, now - world.options.index_lag);  // searchable at once
    seed_parts(*world.store.find(contact->id), what, number, moment);
  }
}

}  // namespace simulator
