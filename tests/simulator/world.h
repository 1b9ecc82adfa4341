// What the API's operations work on, and the call they work for. Guarded by the Simulator's lock.
#pragma once

#include <map>
#include <set>
#include <string>

#include "tests/simulator/call.h"
#include "tests/simulator/events.h"
#include "tests/simulator/items.h"
#include "tests/simulator/routes.h"
#include "tests/simulator/store.h"

namespace simulator {

struct WorldOptions {
  std::uint64_t seed = 1;
  std::chrono::milliseconds index_lag{0};
  bool allow_duplicates = false;  // the location's setting 'Allow Duplicate Contact'
  int not_found_status = 400;     // what an unknown id gets; the documents know no 404
};

// What was created, for the books: how often for each email and each Idempotency-Key.
struct Creations {
  std::size_t contacts = 0;
  std::map<std::string, std::size_t> by_email;  // location, '/' and email
  std::map<std::string, std::size_t> by_idempotency_key;
};

struct World {
  explicit World(const WorldOptions& given)
      : options(given), store(given.index_lag), ids(given.seed), traces(given.seed ^ 0x7ace), seeded(0) {}

  WorldOptions options;
  Store store;
  Random ids;
  Random traces;
  Creations creations;
  Items items;  // of the other resources
  std::uint64_t seeded;
};

// Puts `count` contacts with fixed ids ("contact0000000000001", …) into a location, each with so many tasks, notes,
// appointments.
struct Seed {
  std::string location;
  std::size_t contacts = 25;
  std::size_t tasks = 1;
  std::size_t notes = 1;
  std::size_t appointments = 1;
};
void seed(World& world, const Seed& what, std::chrono::microseconds now);

// One authorised call on its way through an operation.
struct Context {
  World& world;
  const Call& call;
  const Route& route;
  const Document& body;
  Now now;
  bool v3;
  const std::string& token_location;  // empty: the token is good for every location
  Events& events;
};

Answer error(int status, std::string_view message);  // BadRequestDTO, UnauthorizedDTO
Answer unprocessable(
    int status,
    const std::vector<std::string>& messages);  // UnprocessableDTO, or its first message where status is 400
Answer not_found(const Context& context, std::string_view what);
Answer succeeded(const Context& context, int status = 200);
Answer forbidden();

// Runs the operation of `context.route`; its body has been validated already.
Answer run(Context& context);

// The contact a path names when it exists and the token may see it; else `problem` is set.
Record* addressed(Context& context, Answer& problem);

}  // namespace simulator
