// `contacts-gateway export`: all records of a location from a running gateway into a file (gateway/records/
// reconciliation.h has the lines). Each record is appended to FILE.part as it comes; a whole export is synced to disk
// and renamed to FILE, so that FILE is never half an export. A FILE.part that is there is gone on with, behind its last
// whole line. Each line carries the cursor to go on from: there is no other state.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::cli {

struct ExportRequest {
  std::string url = "http://127.0.0.1:8080";  // of the gateway; "unix:PATH" too
  std::string location;
  std::string out;
  std::string include;   // "notes,tasks"; of an export that is gone on with: as it was begun
  std::string key_file;  // the client's key; without it CONTACTS_GATEWAY_KEY, where keys are asked for
  std::string ca_file;   // PEM bundle to trust, for https
  bool overwrite = false;
};

// `bar`: progress as one line that is drawn anew (a terminal), else as a line now and then.
int export_records(const ExportRequest& request, bool bar, std::ostream& errors);

}  // namespace gateway::cli
