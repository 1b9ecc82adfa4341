#include "gateway/status/page.h"

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace embedded {
extern const char status_page_html[];
extern const char status_page_css[];
extern const char status_page_words_js[];
extern const char status_page_charts_js[];
extern const char status_page_js[];
}  // namespace embedded

namespace gateway::status {

namespace {

void put(std::string& html, std::string_view mark, std::string_view content) {
  const std::size_t at = html.find(mark);
  if (at == std::string::npos) throw std::logic_error("the status page has no place for " + std::string(mark));
  html.replace(at, mark.size(), content);
}

std::string sha256_source(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available");
  std::array<unsigned char, 64> base64{};
  const int size = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(length));
  return "'sha256-" + std::string(reinterpret_cast<const char*>(base64.data()), static_cast<std::size_t>(size)) + "'";
}

}  // namespace

Page make_page() {
  Page page;
  const std::string script =
      std::string(embedded::status_page_words_js) + embedded::status_page_charts_js + embedded::status_page_js;
  page.html = embedded::status_page_html;
  put(page.html, "/*page.css*/", embedded::status_page_css);
  put(page.html, "/*page.js*/", script);
  page.policy = "default-src 'none'; style-src " + sha256_source(embedded::status_page_css) + "; script-src " +
                sha256_source(script) +
                "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return page;
}

admin::Route page_route() {
  admin::Route route{
      "GET", "/", false,
      [page = std::make_shared<const Page>(make_page())](const server::RequestView&, server::Reply reply) {
        auto response = admin::answer(200, "text/html; charset=utf-8", page->html);
        response.fields.add("Content-Security-Policy", page->policy);
        response.fields.add("X-Content-Type-Options", "nosniff");
        response.fields.add("Referrer-Policy", "no-referrer");
        response.fields.add("Cross-Origin-Opener-Policy", "same-origin");
        reply.send(std::move(response));
      }};
  route.without_key = true;
  return route;
}

}  // namespace gateway::status
