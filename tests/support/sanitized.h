// Whether this build is watched by a sanitizer: five to twenty times slower, so that a figure of speed says nothing.
#pragma once

namespace test_support {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TEST_SUPPORT_SANITIZED 1
#endif
#endif
#ifdef TEST_SUPPORT_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace test_support
