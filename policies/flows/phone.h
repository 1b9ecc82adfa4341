// Phone numbers as people write them to E.164 ("+4930123456"). Knows each country's calling code, the prefix that is
// dialled inside the country and how long its numbers are; not whether a number is in use. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace policies::flows {

bool is_known_country(std::string_view country);  // ISO 3166-1 alpha-2: "US"
std::string known_countries();                    // "AE, AR, …"

enum class PhoneProblem { NoDigits, StrangeCharacter, TooShort, TooLong, UnknownCountryCode };
std::string_view to_string(PhoneProblem problem);

// `country`: whose number it is where it does not say (no + and no 00 in front). An extension ("x 12", "ext. 12") is
// left away.
std::variant<std::string, PhoneProblem> to_e164(std::string_view text, std::string_view country);

}  // namespace policies::flows
