// A step's mappings filled in: the request that it makes. Any thread.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "policies/flows/flow.h"

namespace gateway::flows {

struct StepRequest {
  std::string target;
  std::string body;
  std::string location;
};
struct NotNeeded {};  // a rule said "skip"

// `location`: where the step names none. `ref`: marks what it makes, where its operation is marked.
std::variant<StepRequest, NotNeeded, policies::flows::MappingError> prepare(const policies::flows::Step& step,
                                                                            const policies::flows::Json& known,
                                                                            const std::string& location,
                                                                            const std::string& ref);

// The target of another operation with the same path parameters: the list that a mark is looked for in.
std::variant<std::string, policies::flows::MappingError> target_of(const policies::Operation& operation,
                                                                   const policies::flows::Step& step,
                                                                   const policies::flows::Json& known);

// The element of `answer`[`marking.member`] that carries the ref; null where none does.
const policies::flows::Json* find_marked(const policies::flows::Json& answer, const policies::flows::Marking& marking,
                                         const std::string& ref);

}  // namespace gateway::flows
