// Texts as an upstream that compresses sends them.
#pragma once

#include <string>
#include <string_view>

namespace test_support {

enum class Coding { Gzip, Zlib, BareDeflate };
std::string compressed(std::string_view text, Coding coding = Coding::Gzip);

}  // namespace test_support
