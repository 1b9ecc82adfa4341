// std::mutex with clang's thread-safety annotations, so that -Wthread-safety checks what a GUARDED_BY says.
#pragma once

#include <mutex>

#if defined(__clang__)
#define GATEWAY_ANNOTATE(x) __attribute__((x))
#else
#define GATEWAY_ANNOTATE(x)
#endif
#define GUARDED_BY(x) GATEWAY_ANNOTATE(guarded_by(x))
#define REQUIRES(...) GATEWAY_ANNOTATE(requires_capability(__VA_ARGS__))

namespace gateway {

class GATEWAY_ANNOTATE(capability("mutex")) Mutex {
 public:
  void lock() GATEWAY_ANNOTATE(acquire_capability()) { mutex_.lock(); }
  void unlock() GATEWAY_ANNOTATE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class GATEWAY_ANNOTATE(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) GATEWAY_ANNOTATE(acquire_capability(mutex)) : mutex_(mutex) { mutex_.lock(); }
  ~Lock() GATEWAY_ANNOTATE(release_capability()) { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace gateway
