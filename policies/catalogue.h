// The operations of the upstream's API as data: what each is called, how its path looks, what it reads or changes, and
// how long its answers stay good. Built from `policies/catalogue/*.json` (embedded); immutable after construction, so
// any thread may read it. A malformed catalogue throws std::invalid_argument naming the entry: a programming error.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace policies {

enum class Kind : std::uint8_t { Read, Write, Search };  // Search: a read by POST, keyed by its body
std::string_view to_string(Kind kind);

struct Times {
  std::chrono::milliseconds fresh{0};                   // served without asking upstream (RFC 9111 section 4.2)
  std::chrono::milliseconds stale_while_revalidate{0};  // served while one refresh runs (RFC 5861 section 3)
  std::chrono::milliseconds stale_if_error{0};          // served when upstream fails (RFC 5861 section 4)
  std::chrono::milliseconds settle{0};  // how long a write keeps its mark on collections: upstream's index lags
  bool explicit_only = false;           // fresh only where upstream itself says for how long
};

// What may be done about a POST with an Idempotency-Key that was sent and whose outcome nobody knows.
enum class InDoubt : std::uint8_t {
  Refuse,     // nothing shows whether it was applied: the client is told so
  SendAgain,  // twice has the effect of once
};
std::string_view to_string(InDoubt in_doubt);

struct Operation {
  std::uint16_t index = 0;  // dense, over builtin() and then own(): metrics use it as an array index
  std::string name;         // "get-contact": metric label, settings path, log field
  std::string method;
  std::string path;                          // template: "/contacts/{contactId}/tasks/{taskId}"
  std::vector<std::string> aliases;          // other spellings of `path`, with the same parameters in the same order
  std::vector<std::string> parameter_names;  // of `path`, in order
  std::string scope;
  Kind kind = Kind::Read;
  bool idempotent = false;  // RFC 9110 section 9.2.2, as the upstream implements it
  InDoubt in_doubt = InDoubt::Refuse;
  // Surrogate key templates: "contact:{contactId}", "location:{locationId}:contacts"; {name} is a path parameter,
  // {query.x} a query's, {body.x.y} comes from the request's JSON body, {answer.x.y} from the answer's; an array there
  // gives a key each. Without braces it is the key itself: "users", "location:*:contacts".
  std::vector<std::string> keys;  // what a read fills, what a write invalidates
  // What a write invalidates besides, where a {query.…}, {body.…} or {answer.…} template found nothing: the answer was
  // lost, the body cannot be read.
  std::vector<std::string> keys_if_unknown;
  std::vector<std::string> names;  // records that it may name besides those of `keys`: "opportunity:{body.id}"
  Times times;
  std::string resource = "contacts";  // the upstream document it is from
  std::string location_parameter;     // the query's name for its location, where that is not locationId
  bool company = false;               // reaches beyond one location: no client restricted to locations may use it
  bool own = false;                   // resource "gateway": answered by the gateway itself, has no cache entry
};

struct Match {
  static constexpr std::size_t kMaxParameters = 4;
  const Operation* operation = nullptr;
  std::array<std::pair<std::string_view, std::string_view>, kMaxParameters>
      parameters{};  // name, raw value (a view into the path)
  std::size_t parameter_count = 0;
  std::string_view parameter(std::string_view name) const;  // empty where there is none
};
struct WrongMethod {
  std::string allow;  // value of the Allow field: "GET, HEAD, PUT, DELETE"
};
struct UnknownPath {};
using MatchResult = std::variant<Match, WrongMethod, UnknownPath>;

class Catalogue {
 public:
  static const Catalogue& builtin();  // all of upstream's
  static const Catalogue& own();      // the gateway's own paths; their indices follow those of builtin()
  // `json`: the texts of catalogue files, {"resource": …, "operations": […]}. `first`: the first operation's index.
  explicit Catalogue(const std::vector<std::string_view>& json, std::uint16_t first = 0);

  // `path` without query; with and without one trailing slash. Literal segments win over parameters. No allocation on a
  // match.
  MatchResult match(std::string_view method, std::string_view path) const;
  const std::vector<Operation>& operations() const { return operations_; }
  const Operation* find(std::string_view name) const;

 private:
  // One path segment in a tree of all templates; children are indices into nodes_, 0 for none (0 is the root).
  struct Node {
    std::vector<std::pair<std::string, std::uint32_t>> literals;
    std::uint32_t parameter = 0;
    std::vector<std::uint16_t> operations;  // one for each method, where a template ends here
  };
  using Parameters = std::array<std::string_view, Match::kMaxParameters>;

  void add(Operation operation);
  void add_path(std::uint16_t operation, std::string_view path);
  const Node* walk(std::uint32_t at, std::string_view rest, Parameters& parameters, std::size_t count) const;
  MatchResult choose(const Node& node, std::string_view method, const Parameters& parameters) const;

  std::uint16_t first_;
  std::vector<Operation> operations_;
  std::vector<Node> nodes_;
};

}  // namespace policies
