#include "policies/flows/repeat.h"

namespace policies::flows {

namespace {

struct MarkedPost {
  std::string_view operation;
  Marking marking;
};
constexpr MarkedPost kMarkedPosts[] = {{"create-task", {"get-all-tasks", "tasks", "task", "body"}},
                                       {"create-note", {"get-all-notes", "notes", "note", "body"}}};

}  // namespace

const Marking* marking_of(const Operation& operation) {
  for (const auto& post : kMarkedPosts)
    if (post.operation == operation.name) return &post.marking;
  return nullptr;
}

Repeat repeat_of(const Operation& operation) {
  if (operation.idempotent || operation.kind != Kind::Write || operation.in_doubt == InDoubt::SendAgain)
    return Repeat::Safe;
  return marking_of(operation) != nullptr ? Repeat::Marked : Repeat::Unsure;
}

std::string marked(std::string_view text, std::string_view ref) {
  std::string out(text);
  if (!out.empty()) out += "\n\n";
  return out.append("ref ").append(ref);
}

}  // namespace policies::flows
