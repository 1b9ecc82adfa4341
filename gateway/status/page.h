// The status page: page.html with page.css and the scripts (page_words.js, page_charts.js, page.js) put into it. One
// document, which loads nothing and talks only to this gateway's `/events`. Its Content-Security-Policy (CSP level 3)
// names style and script by their hashes, so that nothing else runs on it.
#pragma once

#include <string>

#include "gateway/admin/admin.h"

namespace gateway::status {

struct Page {
  std::string html;
  std::string policy;  // the value of Content-Security-Policy
};
Page make_page();

// GET /: holds no data, so where a key is configured it is served without; it asks for the key and sends it to /events.
admin::Route page_route();

}  // namespace gateway::status
