#include "gateway/cache/body_encoding.h"

#include <zstd.h>

#include <memory>

namespace gateway::cache {
namespace {

constexpr int level = 1;

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

std::optional<std::string> compressed(std::string_view body) {
  thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  if (!context) return {};
  std::string out(ZSTD_compressBound(body.size()), '\0');
  const std::size_t size = ZSTD_compressCCtx(context.get(), out.data(), out.size(), body.data(), body.size(), level);
  if (ZSTD_isError(size) || size >= body.size()) return {};
  out.resize(size);
  out.shrink_to_fit();
  return out;
}

std::optional<std::string> decompressed(std::string_view data, std::size_t size) {
  if (ZSTD_getFrameContentSize(data.data(), data.size()) != size) return {};
  if (ZSTD_findFrameCompressedSize(data.data(), data.size()) != data.size()) return {};
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  if (!context) return {};
  std::string out(size, '\0');
  if (ZSTD_decompressDCtx(context.get(), out.data(), out.size(), data.data(), data.size()) != size) return {};
  return out;
}

}  // namespace gateway::cache
