// A contact with its parts, how a request body changes it, and the shapes it is answered in (contacts-openapi.json; v3
// spells some members in another way). Contacts are immutable once stored: a change is a new object, which is what
// makes an index that lags cheap.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulator/json.h"

namespace simulator {

enum class Text : std::size_t {
  FirstName,
  LastName,
  Name,
  Email,
  Phone,
  Address1,
  City,
  State,
  PostalCode,
  Website,
  Timezone,
  Source,
  Country,
  CompanyName,
  AssignedTo,
  Gender,
  DateOfBirth,
  Count
};
inline constexpr std::array<const char*, static_cast<std::size_t>(Text::Count)> kTextNames = {
    "firstName", "lastName", "name",   "email",   "phone",       "address1",   "city",   "state",      "postalCode",
    "website",   "timezone", "source", "country", "companyName", "assignedTo", "gender", "dateOfBirth"};

struct DndSetting {
  std::string status;
  std::string message;
  std::string code;
  bool operator==(const DndSetting&) const = default;
};
inline constexpr std::array<const char*, 6> kDndChannels = {"Call", "Email", "SMS", "WhatsApp", "GMB", "FB"};
inline constexpr std::array<const char*, 6> kDndChannelsV3 = {"call", "email", "sms", "whatsApp", "gmb", "fb"};

struct CustomField {
  std::string id;
  std::string key;
  std::string value;  // JSON text: fields hold strings, numbers, lists and files
};

struct Contact {
  std::string id;
  std::string location;
  std::array<std::optional<std::string>, kTextNames.size()> texts;
  bool dnd = false;
  std::array<std::optional<DndSetting>, kDndChannels.size()> dnd_settings;
  std::optional<DndSetting> inbound_dnd;
  std::vector<std::string> tags;
  std::vector<std::string> followers;
  std::vector<CustomField> custom_fields;
  std::optional<std::string> business;
  std::set<std::string> campaigns;
  std::set<std::string> workflows;
  std::chrono::milliseconds added{0};
  std::chrono::milliseconds updated{0};

  const std::optional<std::string>& text(Text field) const { return texts[static_cast<std::size_t>(field)]; }
  std::optional<std::string>& text(Text field) { return texts[static_cast<std::size_t>(field)]; }
};
using ContactPtr = std::shared_ptr<const Contact>;

// Takes over what a validated create, update or upsert body says; a null clears a member.
void apply_body(Contact& contact, const Value& body);

std::string lower_case(std::string_view text);
std::string normalised_phone(std::string_view phone);  // "+1 888-888-8888" is stored as "+18888888888"

enum class Form { Full, Created, Listed, Event };
// The members of `contact` into an object that is open already.
void write_members(JsonWriter& json, const Contact& contact, Form form, bool v3);
void write_contact(JsonWriter& json, const Contact& contact, Form form, bool v3);

struct Task {
  std::string id;
  std::string title;
  std::optional<std::string> body;
  std::optional<std::string> assigned_to;
  std::string due;
  bool completed = false;
  std::chrono::milliseconds added{0};
};
void apply_body(Task& task, const Value& body);
void write_task(JsonWriter& json, const Task& task, const std::string& contact);

struct Note {
  std::string id;
  std::string body;
  std::optional<std::string> user;
  std::optional<std::string> title;
  std::optional<std::string> color;
  bool pinned = false;
  std::chrono::milliseconds added{0};
};
void apply_body(Note& note, const Value& body);
void write_note(JsonWriter& json, const Note& note, const std::string& contact);

struct Appointment {
  std::string id;
  std::string title;
  std::string calendar;
  std::string start;
  std::string end;
  std::chrono::milliseconds added{0};
};
void write_appointment(JsonWriter& json, const Appointment& appointment, const Contact& contact);

}  // namespace simulator
