#include "gateway/config/settings.h"

#include <openssl/crypto.h>

namespace gateway::config {

Secret::~Secret() {
  value.resize(value.capacity());  // so that what an earlier, longer value left behind goes too
  OPENSSL_cleanse(value.data(), value.size());
}

}  // namespace gateway::config
