#include "policies/named_records.h"

#include <doctest/doctest.h>

using namespace policies;

namespace {
Match match_of(std::string_view method, std::string_view path) {
  return std::get<Match>(Catalogue::builtin().match(method, path));
}
using Records = std::vector<NamedRecord>;
}  // namespace

TEST_SUITE("named records") {
  TEST_CASE("a record that is named in a way of which nobody knows what upstream makes cannot be told") {
    const auto upload = match_of("POST", "/forms/upload-custom-files");
    for (const char* query : {"contactId[]=c1", "contactId%5B0%5D=c1", "[contactId]=c1", "[contactId]x=c1",
                              "contactid=c1", "contactId[a]=c1", "contactId=c1&contactId[]=c2"})
      CHECK_MESSAGE(!named_records(upload, query, "").has_value(), query);
    const auto upsert = match_of("POST", "/opportunities/upsert");
    CHECK_FALSE(named_records(upsert, "", R"({"locationId":"L","contactId":{"$ne":"c1"}})").has_value());
    CHECK_FALSE(named_records(upsert, "", R"({"locationId":"L","contactId":[{"a":"c1"}]})").has_value());
  }

  TEST_CASE("the records that a request names are found in its path, query and body") {
    const struct {
      std::string_view method, path, query, body;
      Records records;
    } rows[] = {
        {"GET", "/contacts/c1", "", "", {{RecordKind::Contact, "c1"}}},
        {"GET", "/contacts/c%31/notes/n1", "", "", {{RecordKind::Contact, "c1"}}},
        {"GET", "/contacts/business/b1", "locationId=L", "", {{RecordKind::Business, "b1"}}},
        {"PUT", "/opportunities/o1", "", "{}", {{RecordKind::Opportunity, "o1"}}},
        {"DELETE", "/custom-fields/f1", "", "", {{RecordKind::CustomField, "f1"}}},
        {"POST",
         "/contacts/bulk/tags/update/add",
         "",
         R"({"contacts":["c1","c2","c1"],"tags":["x"]})",
         {{RecordKind::Contact, "c1"}, {RecordKind::Contact, "c2"}}},
        {"POST",
         "/opportunities/upsert",
         "",
         R"({"locationId":"L","id":"o1","contactId":"c1"})",
         {{RecordKind::Contact, "c1"}, {RecordKind::Opportunity, "o1"}}},
        {"POST", "/forms/upload-custom-files", "contactId=c%201&locationId=L", "", {{RecordKind::Contact, "c 1"}}},
        {"GET", "/contacts/", "locationId=L", "", {}},
        {"POST", "/contacts/", "", R"({"locationId":"L"})", {}},
    };
    for (const auto& row : rows) {
      CAPTURE(row.path);
      const auto match = match_of(row.method, row.path);
      CHECK(names_records(*match.operation) == !row.records.empty());
      CHECK(named_records(match, row.query, row.body) == row.records);
    }
  }

  TEST_CASE("the read of a record itself is known") {
    CHECK(read_of(*match_of("GET", "/contacts/c1").operation) == RecordKind::Contact);
    CHECK(read_of(*match_of("GET", "/opportunities/o1").operation) == RecordKind::Opportunity);
    CHECK(read_of(*match_of("GET", "/businesses/b1").operation) == RecordKind::Business);
    CHECK(read_of(*match_of("GET", "/custom-fields/f1").operation) == RecordKind::CustomField);
    CHECK_FALSE(read_of(*match_of("GET", "/contacts/c1/notes").operation));
    CHECK_FALSE(read_of(*match_of("PUT", "/contacts/c1").operation));
    CHECK_FALSE(read_of(*match_of("GET", "/contacts/business/b1").operation));
  }

  TEST_CASE("a body that names too many or cannot be read names nothing") {
    const auto match = match_of("POST", "/contacts/bulk/tags/update/add");
    std::string body = R"({"contacts":[)";
    for (std::size_t i = 0; i < kMostNamedRecords; ++i) body += (i ? ",\"c" : "\"c") + std::to_string(i) + "\"";
    CHECK(named_records(match, "", body + "]}")->size() == kMostNamedRecords);
    CHECK_FALSE(named_records(match, "", body + ",\"more\"]}"));
    CHECK_FALSE(named_records(match, "", R"({"contacts":["c1")"));
  }

  TEST_CASE("an answer says where its record is") {
    CHECK(path_of({RecordKind::Contact, "a/b"}) == "/contacts/a%2Fb");
    CHECK_FALSE(is_elsewhere(RecordKind::Contact, R"({"contact":{"id":"c","locationId":"A"}})", "A"));
    CHECK(is_elsewhere(RecordKind::Contact, R"({"contact":{"id":"c","locationId":"B"}})", "A"));
    CHECK(is_elsewhere(RecordKind::Contact, R"({"contact":{"locationId":"A","locationId":"B"}})", "A"));
    CHECK_FALSE(is_elsewhere(RecordKind::Contact, R"({"contact":{"id":"c"}})", "A"));
    CHECK(is_elsewhere(RecordKind::Contact, R"({"contact":{"id":"c")", "A"));
    CHECK(surely_absent({RecordKind::Contact, "c1"}, 404));
    CHECK_FALSE(surely_absent({RecordKind::Contact, "c1"}, 403));
    CHECK_FALSE(surely_absent({RecordKind::Contact, "c1/notes"}, 404));
    CHECK_FALSE(surely_absent({RecordKind::Contact, ".."}, 404));
    CHECK_FALSE(surely_absent({RecordKind::CustomField, "f1"}, 404));
  }
}
