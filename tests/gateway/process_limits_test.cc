#include "gateway/process_limits.h"

#include <doctest/doctest.h>

#include <initializer_list>

using gateway::share_descriptors;

TEST_CASE("clients' connections leave room for all others that may be open at once") {
  constexpr std::size_t kOwn = 40, kOfAWorker = 6;
  for (const std::size_t files : {256, 400, 1'024, 4'096, 65'536}) {
    CAPTURE(files);
    const auto most = share_descriptors(files, {20'000, 256}, 20, 4);
    CHECK(most.clients + most.admin + 20 + kOwn + 4 * kOfAWorker <= files);
    CHECK(most.clients >= files / 4);
    CHECK(most.admin >= 16);
  }
  CHECK(share_descriptors(1'024, {20'000, 256}, 100, 4).clients == 732);
  CHECK(share_descriptors(1'024, {20'000, 256}, 100, 32).clients == 564);
  CHECK(share_descriptors(1'000'000, {20'000, 256}, 100, 4).clients == 20'000);
  CHECK(share_descriptors(1'000'000, {20'000, 256}, 100, 4).admin == 256);
  CHECK(share_descriptors(1'024, {20'000, 256}, 10'000, 4).clients == 256);  // the upstream may not have all of it
  CHECK(share_descriptors(0, {20'000, 256}, 100, 4).clients == 16);
}
