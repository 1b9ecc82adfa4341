#include "policies/doubt.h"

#include "policies/json_strings.h"
#include "policies/percent.h"

namespace policies {

namespace {

constexpr WallMillis kClocksDiffer{60'000};

// The one text at `path`; nothing where there is none or more than one.
std::optional<std::string> only_text(std::string_view json, std::string_view path, bool& broken) {
  std::optional<std::string> text;
  int found = 0;
  broken |= json_strings(json, path, [&](std::string_view each) {
              ++found;
              text = each;
            }) == JsonText::Broken;
  if (found != 1 || text->empty()) return std::nullopt;
  return text;
}

}  // namespace

std::optional<std::string> duplicate_search(std::string_view operation, std::string_view location,
                                            std::string_view body) {
  if (operation != "create-contact") return std::nullopt;
  bool broken = false;
  const auto named = only_text(body, "locationId", broken);
  const auto email = only_text(body, "email", broken);
  const auto phone = only_text(body, "phone", broken);
  if (broken || (!email && !phone)) return std::nullopt;
  std::string target = "/contacts/search/duplicate?locationId=";
  append_word(target, named ? std::string_view(*named) : location);
  target += email ? "&email=" : "&number=";
  append_word(target, email ? *email : *phone);
  return target;
}

bool harmless_twice(const Operation& operation, std::string_view body) {
  if (operation.in_doubt != InDoubt::SendAgain) return false;
  bool broken = false;
  return operation.name != "upsert-contact" || only_text(body, "email", broken) || only_text(body, "phone", broken);
}

ContactSought judge_duplicate(std::string_view answer, WallMillis sent_at) {
  bool broken = false;
  const auto id = only_text(answer, "contact.id", broken);
  const auto added = only_text(answer, "contact.dateAdded", broken);
  if (broken) return Unclear{};
  if (!id) return NotThere{};
  const auto at = added ? parse_timestamp(*added) : std::nullopt;
  if (!at || *at < sent_at - kClocksDiffer) return Unclear{};
  return CreatedContact{*id};
}

}  // namespace policies
