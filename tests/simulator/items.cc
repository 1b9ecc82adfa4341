#include "tests/simulator/items.h"

#include <algorithm>

#include "tests/simulator/ids.h"
#include "tests/simulator/json.h"

namespace simulator {

namespace {

constexpr std::size_t kOfEach = 2;

struct SeedRow {
  const char* kind;
  const char* json;  // $id, $location, $contact
};

constexpr SeedRow kSeeds[] = {
    {"opportunity",
     R"({"id":"$id","name":"First deal","monetaryValue":500,"pipelineId":"pipeline000000000001",
         "pipelineStageId":"stage000000000000001","assignedTo":"user0000000000000001","status":"open","source":"fair",
         "createdAt":"2024-01-02T00:00:00.000Z","updatedAt":"2024-01-02T00:00:00.000Z","contactId":"$contact",
         "locationId":"$location"})"},
    {"lostreason", R"({"id":"$id","name":"Too dear","locationId":"$location","createdAt":"2024-01-02T00:00:00.000Z",
                       "updatedAt":"2024-01-02T00:00:00.000Z"})"},
    {"pipeline", R"({"id":"$id","name":"Sales","stages":[],"showInFunnel":true,"showInPieChart":true,
                     "locationId":"$location"})"},
    {"business", R"({"id":"$id","name":"DGS VolMAX","phone":"+18832327657","email":"office@example.com",
                     "website":"example.com","city":"Dolomite","locationId":"$location",
                     "createdAt":"2024-01-02T00:00:00.000Z","updatedAt":"2024-01-02T00:00:00.000Z"})"},
    {"field", R"({"id":"$id","locationId":"$location","name":"Favourite","showInForms":true,
                  "objectKey":"custom_object.pet","dataType":"TEXT","parentId":"folder00000000000001",
                  "fieldKey":"custom_object.pet.name","dateAdded":"2024-01-02T00:00:00.000Z",
                  "dateUpdated":"2024-01-02T00:00:00.000Z"})"},
    {"folder", R"({"id":"$id","objectKey":"custom_object.pet","locationId":"$location","name":"Pets"})"},
    {"campaign", R"({"id":"$id","name":"Spring","status":"published","locationId":"$location"})"},
    {"workflow", R"({"id":"$id","name":"Welcome","status":"published","version":1,
                     "createdAt":"2024-01-02T00:00:00.000Z","updatedAt":"2024-01-02T00:00:00.000Z",
                     "locationId":"$location"})"},
    {"user", R"({"id":"$id","name":"Ada Lovelace","firstName":"Ada","lastName":"Lovelace","email":"$id@example.com",
                 "phone":"+18832327657","roles":{"type":"account","role":"admin","locationIds":["$location"]}})"},
    {"form", R"({"id":"$id","name":"Sign up","locationId":"$location"})"},
    {"submission", R"({"id":"$id","contactId":"$contact","createdAt":"2024-01-02T00:00:00.000Z",
                       "formId":"form0000000000000001","name":"Ada Lovelace","email":"ada@example.com","others":{}})"},
};

std::string filled(std::string text, const std::string& name, const std::string& value) {
  for (auto at = text.find(name); at != std::string::npos; at = text.find(name)) text.replace(at, name.size(), value);
  return text;
}

}  // namespace

const std::string* Item::find(std::string_view name) const {
  const auto found =
      std::ranges::find(members, name, [](const auto& member) { return std::string_view(member.first); });
  return found == members.end() ? nullptr : &found->second;
}

void Item::set(std::string_view name, std::string json) {
  const auto found =
      std::ranges::find(members, name, [](const auto& member) { return std::string_view(member.first); });
  if (found == members.end())
    members.emplace_back(name, std::move(json));
  else
    found->second = std::move(json);
}

std::string Item::text(std::string_view name) const {
  const std::string* json = find(name);
  return json == nullptr || json->size() < 2 || json->front() != '"' ? "" : json->substr(1, json->size() - 2);
}

void seed_items(Items& items, const std::string& location, const std::string& contact) {
  for (std::size_t i = 0; i < kOfEach; ++i) {
    ++items.seeded;
    for (const SeedRow& row : kSeeds) {
      const std::string id = numbered_id(row.kind, items.seeded);
      const std::string json = filled(filled(filled(row.json, "$id", id), "$location", location), "$contact", contact);
      const auto parsed = parse_json(json);
      Item item{std::string_view(row.kind) == "user" ? "" : location};
      for (const auto& member : parsed->GetObject()) item.set(view(member.name), to_json(member.value));
      items.kinds[row.kind].emplace(id, std::move(item));
    }
  }
}

}  // namespace simulator
