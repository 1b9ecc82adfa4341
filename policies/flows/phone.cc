#include "policies/flows/phone.h"

#include <algorithm>
#include <array>

namespace policies::flows {

namespace {

// ITU-T E.164 calling codes, the trunk prefix, and the lengths of national (significant) numbers.
struct Country {
  std::string_view name, code, trunk;
  std::size_t least, most;
};
constexpr std::array kCountries{
    Country{"AE", "971", "0", 8, 9},   Country{"AR", "54", "0", 10, 11}, Country{"AT", "43", "0", 4, 13},
    Country{"AU", "61", "0", 9, 9},    Country{"BE", "32", "0", 8, 9},   Country{"BG", "359", "0", 7, 9},
    Country{"BR", "55", "0", 10, 11},  Country{"CA", "1", "1", 10, 10},  Country{"CH", "41", "0", 9, 9},
    Country{"CL", "56", "", 9, 9},     Country{"CN", "86", "0", 9, 11},  Country{"CO", "57", "", 10, 10},
    Country{"CR", "506", "", 8, 8},    Country{"CY", "357", "", 8, 8},   Country{"CZ", "420", "", 9, 9},
    Country{"DE", "49", "0", 5, 12},   Country{"DK", "45", "", 8, 8},    Country{"DO", "1", "1", 10, 10},
    Country{"EE", "372", "", 7, 8},    Country{"EG", "20", "0", 8, 10},  Country{"ES", "34", "", 9, 9},
    Country{"FI", "358", "0", 5, 12},  Country{"FR", "33", "0", 9, 9},   Country{"GB", "44", "0", 9, 10},
    Country{"GR", "30", "", 10, 10},   Country{"HK", "852", "", 8, 8},   Country{"HR", "385", "0", 8, 9},
    Country{"HU", "36", "06", 8, 9},   Country{"ID", "62", "0", 8, 12},  Country{"IE", "353", "0", 7, 9},
    Country{"IL", "972", "0", 8, 9},   Country{"IN", "91", "0", 10, 10}, Country{"IS", "354", "", 7, 9},
    Country{"IT", "39", "", 6, 11},    Country{"JP", "81", "0", 9, 10},  Country{"KE", "254", "0", 9, 10},
    Country{"KR", "82", "0", 8, 10},   Country{"LT", "370", "8", 8, 8},  Country{"LU", "352", "", 4, 11},
    Country{"LV", "371", "", 8, 8},    Country{"MA", "212", "0", 9, 9},  Country{"MT", "356", "", 8, 8},
    Country{"MX", "52", "01", 10, 10}, Country{"MY", "60", "0", 8, 10},  Country{"NG", "234", "0", 8, 10},
    Country{"NL", "31", "0", 9, 9},    Country{"NO", "47", "", 8, 8},    Country{"NZ", "64", "0", 8, 10},
    Country{"PE", "51", "0", 8, 9},    Country{"PH", "63", "0", 8, 10},  Country{"PK", "92", "0", 9, 10},
    Country{"PL", "48", "", 9, 9},     Country{"PR", "1", "1", 10, 10},  Country{"PT", "351", "", 9, 9},
    Country{"RO", "40", "0", 9, 9},    Country{"RS", "381", "0", 6, 12}, Country{"SA", "966", "0", 8, 9},
    Country{"SE", "46", "0", 6, 10},   Country{"SG", "65", "", 8, 8},    Country{"SI", "386", "0", 8, 8},
    Country{"SK", "421", "0", 9, 9},   Country{"TH", "66", "0", 8, 9},   Country{"TR", "90", "0", 10, 10},
    Country{"TW", "886", "0", 8, 9},   Country{"UA", "380", "0", 9, 9},  Country{"US", "1", "1", 10, 10},
    Country{"UY", "598", "0", 8, 8},   Country{"VN", "84", "0", 9, 10},  Country{"ZA", "27", "0", 9, 9},
};

// Zones 1 and 7 have codes of one digit; these begin codes of two, all others of three (ITU-T E.164 annex).
constexpr std::string_view kTwoDigits[] = {"20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41",
                                           "43", "44", "45", "46", "47", "48", "49", "51", "52", "53", "54",
                                           "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66",
                                           "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98"};
constexpr std::string_view kThreeDigitStarts[] = {"21", "22", "23", "24", "25", "26", "29", "35",
                                                  "37", "38", "42", "50", "59", "67", "68", "69",
                                                  "80", "85", "87", "88", "96", "97", "99"};
constexpr std::size_t kMostDigits = 15, kLeastNational = 4;

const Country* country_named(std::string_view name) {
  const auto found = std::find_if(kCountries.begin(), kCountries.end(), [&](const auto& c) { return c.name == name; });
  return found == kCountries.end() ? nullptr : &*found;
}

std::size_t code_length(std::string_view digits) {
  if (digits.starts_with('1') || digits.starts_with('7')) return 1;
  const auto among = [&](const auto& list) {
    return std::any_of(std::begin(list), std::end(list), [&](std::string_view s) { return digits.starts_with(s); });
  };
  return among(kTwoDigits) ? 2 : among(kThreeDigitStarts) ? 3 : 0;
}

struct Written {
  std::string digits;
  bool international = false;
};

std::variant<Written, PhoneProblem> read(std::string_view text) {
  Written written;
  constexpr std::string_view kBetween = " ()-./\t";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      written.digits += c;
    } else if (c == '+' && written.digits.empty() && !written.international) {
      written.international = true;
    } else if (c == 'x' || c == 'X' || c == 'e' || c == 'E' || c == '#' || c == ',' || c == ';') {
      if (written.digits.empty()) return PhoneProblem::StrangeCharacter;
      const auto rest = text.substr(i);
      const bool extension = rest.find_first_not_of("xXeEtTnNsSiIoO#,; .:0123456789") == std::string_view::npos;
      if (!extension) return PhoneProblem::StrangeCharacter;
      break;
    } else if (text.substr(i).starts_with("\xc2\xa0")) {  // a no-break space
      ++i;
    } else if (kBetween.find(c) == std::string_view::npos) {
      return PhoneProblem::StrangeCharacter;
    }
  }
  if (written.digits.empty()) return PhoneProblem::NoDigits;
  if (!written.international && written.digits.starts_with("00")) {
    written.international = true;
    written.digits.erase(0, 2);
  }
  return written;
}

std::variant<std::string, PhoneProblem> international(const std::string& digits) {
  const auto code = code_length(digits);
  if (code == 0) return PhoneProblem::UnknownCountryCode;
  if (digits.size() < code + kLeastNational) return PhoneProblem::TooShort;
  if (digits.size() > kMostDigits) return PhoneProblem::TooLong;
  for (const auto& country : kCountries) {
    if (country.code != std::string_view(digits).substr(0, code)) continue;
    // "+49 (0)30 …": the prefix of inside the country does not belong there.
    std::string national = digits.substr(code);
    if (country.trunk == "0" && national.starts_with('0')) national.erase(0, 1);
    if (national.size() < country.least) return PhoneProblem::TooShort;
    if (national.size() > country.most) return PhoneProblem::TooLong;
    return "+" + digits.substr(0, code) + national;
  }
  return "+" + digits;
}

}  // namespace

bool is_known_country(std::string_view country) { return country_named(country) != nullptr; }

std::string known_countries() {
  std::string all;
  for (const auto& country : kCountries) all.append(all.empty() ? "" : ", ").append(country.name);
  return all;
}

std::string_view to_string(PhoneProblem problem) {
  switch (problem) {
    case PhoneProblem::NoDigits:
      return "is no phone number: it has no digits";
    case PhoneProblem::StrangeCharacter:
      return "is no phone number: it has other characters than digits, spaces, ()-./ and +";
    case PhoneProblem::TooShort:
      return "is no phone number: it has too few digits for its country";
    case PhoneProblem::TooLong:
      return "is no phone number: it has too many digits for its country";
    case PhoneProblem::UnknownCountryCode:
      return "is no phone number: no country has its calling code";
  }
  return "is no phone number";
}

std::variant<std::string, PhoneProblem> to_e164(std::string_view text, std::string_view country) {
  auto read_or_problem = read(text);
  if (const auto* problem = std::get_if<PhoneProblem>(&read_or_problem)) return *problem;
  auto& written = std::get<Written>(read_or_problem);
  const auto* home = country_named(country);
  if (written.international || home == nullptr) return international(written.digits);
  std::string national = written.digits;
  if (!home->trunk.empty() && national.starts_with(home->trunk) && national.size() > home->least)
    national.erase(0, home->trunk.size());
  if (national.size() < home->least) return PhoneProblem::TooShort;
  if (national.size() > home->most) return PhoneProblem::TooLong;
  return "+" + std::string(home->code) + national;
}

}  // namespace policies::flows
