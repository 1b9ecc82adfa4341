#include "gateway/lifecycle/file_watch.h"

#include <doctest/doctest.h>
#include <poll.h>

#include <filesystem>

#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

using gateway::lifecycle::FileWatch;
using test_support::TempDir;
using Paths = std::vector<std::string>;
using namespace std::chrono_literals;

namespace {

bool told(const FileWatch& watch) {
  pollfd fd{watch.fd(), POLLIN, 0};
  return ::poll(&fd, 1, 5'000) == 1;
}

}  // namespace

TEST_SUITE("lifecycle") {
  TEST_CASE("a file that is written, replaced, removed or made is told of, once") {
    const TempDir folder;
    const auto file = folder.write("secret", "one"), other = folder.write("other", "x");
    FileWatch watch;
    watch.set({file, other});
    CHECK(watch.changed().empty());
    folder.write("secret", "two two");
    CHECK(told(watch));
    CHECK(watch.changed() == Paths{file});
    CHECK(watch.changed().empty());
    std::filesystem::rename(folder.write("new", "3"), file);
    CHECK(told(watch));
    CHECK(watch.changed() == Paths{file});
    std::filesystem::remove(file);
    CHECK(told(watch));
    CHECK(watch.changed() == Paths{file});
    folder.write("secret", "four");
    CHECK(watch.changed() == Paths{file});
    folder.write("unwatched", "x");
    CHECK(watch.changed().empty());
  }

  TEST_CASE("Kubernetes' swap of the ..data link is a change of every file behind it") {
    namespace fs = std::filesystem;
    const TempDir folder;
    const auto& root = folder.path();
    for (const char* name : {"..first", "..second"}) {
      fs::create_directory(root / name);
      folder.write(std::string(name) + "/token", name);
    }
    fs::create_directory_symlink("..first", root / "..data");
    fs::create_symlink("..data/token", root / "token");
    FileWatch watch;
    watch.set({root / "token"});
    CHECK(watch.changed().empty());
    fs::create_directory_symlink("..second", root / "..data_tmp");
    fs::rename(root / "..data_tmp", root / "..data");
    CHECK(told(watch));
    CHECK(watch.changed() == Paths{root / "token"});
  }

  TEST_CASE("a file in a folder that is not there yet is seen when both have come, and a new set keeps what it knew") {
    namespace fs = std::filesystem;
    const TempDir folder;
    const std::string late = folder.path() / "later" / "file", now = folder.write("now", "1");
    FileWatch watch;
    watch.set({late, now});
    fs::create_directory(folder.path() / "later");
    folder.write("later/file", "here");
    folder.write("now", "22");
    watch.set({late, now});
    CHECK(watch.changed() == Paths{late, now});
  }
}
