// "Did you mean …?" for names that are nearly right. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gateway::config {

// " (did you mean NAME?)" for the closest of `names`, or nothing where none is close.
std::string did_you_mean(std::string_view given, std::span<const std::string> names);

}  // namespace gateway::config
