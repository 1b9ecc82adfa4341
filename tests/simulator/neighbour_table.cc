#include "tests/simulator/neighbours.h"

namespace simulator {

namespace {

constexpr Rule kOpportunity[] = {{"pipelineId", Shape::String},      {"name", Shape::String},
                                 {"pipelineStageId", Shape::String}, {"status", Shape::String},
                                 {"monetaryValue", Shape::Number},   {"assignedTo", Shape::String},
                                 {"customFields", Shape::Objects}};
constexpr Rule kNewOpportunity[] = {
    {"pipelineId", Shape::String, true}, {"locationId", Shape::String, true}, {"name", Shape::String, true},
    {"pipelineStageId", Shape::String},  {"status", Shape::String, true},     {"contactId", Shape::String, true},
    {"monetaryValue", Shape::Number},    {"assignedTo", Shape::String},       {"customFields", Shape::Objects}};
constexpr Rule kUpsertOpportunity[] = {{"id", Shape::String},
                                       {"pipelineId", Shape::String, true},
                                       {"locationId", Shape::String, true},
                                       {"followers", Shape::Strings, true},
                                       {"isRemoveAllFollowers", Shape::Boolean, true},
                                       {"followersActionType", Shape::String, true},
                                       {"name", Shape::String},
                                       {"status", Shape::String},
                                       {"pipelineStageId", Shape::String},
                                       {"assignedTo", Shape::String},
                                       {"lostReasonId", Shape::String}};
constexpr Rule kOpportunityStatus[] = {{"status", Shape::String, true}, {"lostReasonId", Shape::String}};
constexpr Rule kOpportunitySearch[] = {
    {"locationId", Shape::String, true},   {"query", Shape::Nullable, true},
    {"limit", Shape::Number, true},        {"page", Shape::Number, true},
    {"searchAfter", Shape::Objects, true}, {"additionalDetails", Shape::Object, true}};
constexpr Rule kFollowers[] = {{"followers", Shape::Strings, true}};
constexpr Rule kBusiness[] = {{"name", Shape::String},       {"phone", Shape::String},   {"email", Shape::Email},
                              {"postalCode", Shape::String}, {"website", Shape::String}, {"address", Shape::String},
                              {"state", Shape::String},      {"city", Shape::String},    {"country", Shape::String},
                              {"description", Shape::String}};
constexpr Rule kNewBusiness[] = {
    {"name", Shape::String, true}, {"locationId", Shape::String, true}, {"phone", Shape::String},
    {"email", Shape::Email},       {"website", Shape::String},          {"address", Shape::String},
    {"city", Shape::String},       {"postalCode", Shape::String},       {"state", Shape::String},
    {"country", Shape::String},    {"description", Shape::String}};
constexpr Rule kField[] = {{"locationId", Shape::String, true},   {"name", Shape::String},
                           {"description", Shape::String},        {"placeholder", Shape::String},
                           {"showInForms", Shape::Boolean, true}, {"options", Shape::Objects},
                           {"acceptedFormats", Shape::String},    {"maxFileLimit", Shape::Number}};
constexpr Rule kNewField[] = {{"locationId", Shape::String, true},   {"name", Shape::String},
                              {"description", Shape::String},        {"placeholder", Shape::String},
                              {"showInForms", Shape::Boolean, true}, {"options", Shape::Objects},
                              {"acceptedFormats", Shape::String},    {"dataType", Shape::String, true},
                              {"fieldKey", Shape::String, true},     {"objectKey", Shape::String, true},
                              {"maxFileLimit", Shape::Number},       {"allowCustomOption", Shape::Boolean},
                              {"parentId", Shape::String, true}};
constexpr Rule kNewFolder[] = {
    {"objectKey", Shape::String, true}, {"name", Shape::String, true}, {"locationId", Shape::String, true}};
constexpr Rule kFolder[] = {{"name", Shape::String, true}, {"locationId", Shape::String, true}};
constexpr Rule kUser[] = {{"firstName", Shape::String}, {"lastName", Shape::String},  {"email", Shape::Email},
                          {"password", Shape::String},  {"phone", Shape::String},     {"type", Shape::String},
                          {"role", Shape::String},      {"companyId", Shape::String}, {"locationIds", Shape::Strings}};
constexpr Rule kNewUser[] = {
    {"companyId", Shape::String, true}, {"firstName", Shape::String, true}, {"lastName", Shape::String, true},
    {"email", Shape::Email, true},      {"password", Shape::String, true},  {"phone", Shape::String},
    {"type", Shape::String, true},      {"role", Shape::String, true},      {"locationIds", Shape::Strings, true}};
constexpr Rule kUsersByEmail[] = {{"companyId", Shape::String, true}, {"emails", Shape::String, true},
                                  {"deleted", Shape::Boolean},        {"skip", Shape::String},
                                  {"limit", Shape::String},           {"projection", Shape::String}};

constexpr Operation read(const char* name, const char* path, int invalid, const char* scope) {
  return {Op::Neighbour, name, "GET", path, false, Body::None, invalid, scope};
}
constexpr Operation search(const char* name, const char* path, int invalid, const char* scope) {
  return {Op::Neighbour, name, "POST", path, false, Body::None, invalid, scope};
}
constexpr Operation write(const char* name, const char* method, const char* path, int invalid, const char* scope) {
  return {Op::Neighbour, name, method, path, true, Body::None, invalid, scope};
}

constexpr const char* kOpportunities =
    R"({"opportunities":$items,"meta":{"total":$total,"currentPage":1},"aggregations":{}})";
constexpr const char* kSucceeded = R"({"succeded":true})";
constexpr const char* kSaved = R"({"success":true,"buiseness":$item})";
constexpr const char* kFieldGone = R"({"succeded":true,"id":"$id","key":"$key"})";
constexpr const char* kUsersCounted = R"({"users":$items,"count":$total})";

constexpr const char *OR = "opportunities.readonly", *OW = "opportunities.write", *BR = "businesses.readonly",
                     *BW = "businesses.write", *FR = "locations/customFields.readonly",
                     *FW = "locations/customFields.write", *UR = "users.readonly", *UW = "users.write";

constexpr Neighbour kNeighbours[] = {
    {read("get-lost-reason", "/opportunities/lost-reason", 422, OR),
     Deed::List,
     "lostreason",
     200,
     R"({"lostReasons":$items,"total":$total})",
     {},
     "locationId"},
    {read("search-opportunity", "/opportunities/search", 422, OR),
     Deed::List,
     "opportunity",
     200,
     kOpportunities,
     {},
     "location_id"},
    {search("search-opportunities-advanced", "/opportunities/search", 422, OR), Deed::List, "opportunity", 200,
     R"({"opportunities":$items,"total":$total,"aggregations":{}})", kOpportunitySearch},
    {read("get-pipelines", "/opportunities/pipelines", 400, OR),
     Deed::List,
     "pipeline",
     200,
     R"({"pipelines":$items})",
     {},
     "locationId"},
    {read("get-opportunity", "/opportunities/{id}", 422, OR),
     Deed::Get,
     "opportunity",
     200,
     R"({"opportunity":$item})",
     {}},
    {write("delete-opportunity", "DELETE", "/opportunities/{id}", 422, OW),
     Deed::Delete,
     "opportunity",
     200,
     kSucceeded,
     {}},
    {write("update-opportunity", "PUT", "/opportunities/{id}", 422, OW), Deed::Update, "opportunity", 200,
     R"({"opportunity":$item})", kOpportunity},
    {write("update-opportunity-status", "PUT", "/opportunities/{id}/status", 422, OW), Deed::Update, "opportunity", 200,
     kSucceeded, kOpportunityStatus},
    {write("upsert-opportunity", "POST", "/opportunities/upsert", 422, OW), Deed::Upsert, "opportunity", 200,
     R"({"opportunity":$item,"new":$new})", kUpsertOpportunity},
    {write("add-followers-opportunity", "POST", "/opportunities/{id}/followers", 422, OW), Deed::AddFollowers,
     "opportunity", 201, R"({"followers":$followers,"followersAdded":$changed})", kFollowers},
    {write("remove-followers-opportunity", "DELETE", "/opportunities/{id}/followers", 422, OW), Deed::RemoveFollowers,
     "opportunity", 200, R"({"followers":$followers,"followersRemoved":$changed})", kFollowers},
    {write("create-opportunity", "POST", "/opportunities", 422, OW), Deed::Create, "opportunity", 201,
     R"({"opportunity":$item})", kNewOpportunity},
    {write("update-business", "PUT", "/businesses/{businessId}", 422, BW), Deed::Update, "business", 200, kSaved,
     kBusiness},
    {write("delete-business", "DELETE", "/businesses/{businessId}", 422, BW),
     Deed::Delete,
     "business",
     200,
     R"({"success":true})",
     {}},
    {read("get-business", "/businesses/{businessId}", 422, BR),
     Deed::Get,
     "business",
     200,
     R"({"business":$item})",
     {}},
    {read("get-businesses-by-location", "/businesses", 400, BR),
     Deed::List,
     "business",
     200,
     R"({"businesses":$items})",
     {},
     "locationId"},
    {write("create-business", "POST", "/businesses", 422, BW), Deed::Create, "business", 201, kSaved, kNewBusiness},
    {read("get-custom-fields-by-object-key", "/custom-fields/object-key/{objectKey}", 400, FR),
     Deed::List,
     "field",
     200,
     R"({"fields":$items,"folders":$folders})",
     {},
     "locationId"},
    {read("get-custom-field-by-id", "/custom-fields/{id}", 400, FR), Deed::Get, "field", 200, R"({"field":$item})", {}},
    {write("create-custom-field-folder", "POST", "/custom-fields/folder", 400, FW), Deed::Create, "folder", 201,
     "$item", kNewFolder},
    {write("update-custom-field-folder", "PUT", "/custom-fields/folder/{id}", 400, FW), Deed::Update, "folder", 200,
     "$item", kFolder},
    {write("delete-custom-field-folder", "DELETE", "/custom-fields/folder/{id}", 400, FW),
     Deed::Delete,
     "folder",
     200,
     kFieldGone,
     {},
     "locationId"},
    {write("update-custom-field", "PUT", "/custom-fields/{id}", 400, FW), Deed::Update, "field", 200,
     R"({"field":$item})", kField},
    {write("delete-custom-field", "DELETE", "/custom-fields/{id}", 400, FW),
     Deed::Delete,
     "field",
     200,
     kFieldGone,
     {}},
    {write("create-custom-field", "POST", "/custom-fields", 400, FW), Deed::Create, "field", 201, R"({"field":$item})",
     kNewField},
    {read("get-campaigns", "/campaigns", 422, "campaigns.readonly"),
     Deed::List,
     "campaign",
     200,
     R"({"campaigns":$items})",
     {},
     "locationId"},
    {read("get-workflow", "/workflows", 422, "workflows.readonly"),
     Deed::List,
     "workflow",
     200,
     R"({"workflows":$items})",
     {},
     "locationId"},
    {read("search-users", "/users/search", 422, UR), Deed::List, "user", 200, kUsersCounted, {}, "companyId"},
    {search("filter-users-by-email", "/users/search/filter-by-email", 422, UR), Deed::List, "user", 200, kUsersCounted,
     kUsersByEmail},
    {read("get-user", "/users/{userId}", 422, UR), Deed::Get, "user", 200, "$item", {}},
    {write("update-user", "PUT", "/users/{userId}", 422, UW), Deed::Update, "user", 200, "$item", kUser},
    {write("delete-user", "DELETE", "/users/{userId}", 422, UW),
     Deed::Delete,
     "user",
     200,
     R"({"succeded":true,"message":"Queued deletion of user with e-mail and name."})",
     {}},
    {read("get-user-by-location", "/users", 400, UR), Deed::List, "user", 200, R"({"users":$items})", {}, "locationId"},
    {write("create-user", "POST", "/users", 422, UW), Deed::Create, "user", 201, "$item", kNewUser},
    {read("get-forms-submissions", "/forms/submissions", 422, "forms.readonly"),
     Deed::List,
     "submission",
     200,
     R"({"submissions":$items,"meta":{"total":$total,"currentPage":1,"nextPage":null,"prevPage":null}})",
     {},
     "locationId"},
    {write("upload-to-custom-fields", "POST", "/forms/upload-custom-files", 400, "forms.write"),
     Deed::Upload,
     "",
     200,
     R"({"uploadedFiles":$total})",
     {},
     "contactId"},
    {read("get-forms", "/forms", 400, "forms.readonly"),
     Deed::List,
     "form",
     200,
     R"({"forms":$items,"total":$total})",
     {},
     "locationId"},
};

}  // namespace

std::span<const Neighbour> neighbours() { return kNeighbours; }

}  // namespace simulator
