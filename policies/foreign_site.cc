#include "policies/foreign_site.h"

namespace policies {

namespace {

std::string_view without_port(std::string_view host) { return host.substr(0, host.find(':')); }

bool is_localhost(std::string_view name) {
  const auto dot = name.rfind('.');
  return same_name(name.substr(dot == std::string_view::npos ? 0 : dot + 1), "localhost");
}

bool is_loopback(std::string_view host) {
  if (host.starts_with('[')) return host.starts_with("[::1]");
  host = without_port(host);
  return is_localhost(host) || (host.starts_with("127.") && names_this_machine(host));
}

// Names that the public DNS does not have: those without a dot, and those of private domains (RFC 6762, RFC 6761, RFC
// 8375, ICANN's `.internal`, what routers and Kubernetes hand out).
bool is_private_name(std::string_view host) {
  const auto name = without_port(host);
  if (name.find('.') == std::string_view::npos) return true;
  for (const std::string_view domain : {".local", ".internal", ".test", ".localdomain", ".home.arpa", ".lan", ".svc"})
    if (name.size() > domain.size() && same_name(name.substr(name.size() - domain.size()), domain)) return true;
  return false;
}

bool is_foreign_page(std::string_view site, std::optional<std::string_view> origin, std::string_view host) {
  if (site == "same-origin" || site == "none") return false;
  if (!origin) return site == "cross-site" || site == "same-site";
  const auto scheme = origin->find("://");
  if (scheme == std::string_view::npos) return true;  // "null", too
  const auto from = origin->substr(scheme + 3);
  return !same_name(from, host) && !is_loopback(from);
}

}  // namespace

bool names_this_machine(std::string_view host) {
  if (host.empty() || host.front() == '[') return true;
  host = without_port(host);
  return is_localhost(host) || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::optional<ForeignSite> foreign_site(FieldsView fields, std::string_view host) {
  constexpr std::string_view kOrigin = "Origin", kSite = "Sec-Fetch-Site";
  std::string_view site;
  std::optional<std::string_view> origin;
  for (const auto& field : fields) {  // by size first: each request of an open address passes here
    if (field.name.size() == kOrigin.size() && same_name(field.name, kOrigin))
      origin = field.value;
    else if (field.name.size() == kSite.size() && same_name(field.name, kSite))
      site = field.value;
  }
  if (!origin && site.empty()) return std::nullopt;  // a program, whatever name it knows us by
  if (is_foreign_page(site, origin, host)) return ForeignSite::Page;
  if (!names_this_machine(host) && !is_private_name(host)) return ForeignSite::Host;
  return std::nullopt;
}

}  // namespace policies
