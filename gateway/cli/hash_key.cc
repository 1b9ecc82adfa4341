#include <istream>
#include <ostream>

#include "gateway/access/key_hash.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/exit_code.h"

namespace gateway::cli {

int hash_key(bool generate, bool prompt, std::istream& in, std::ostream& out, std::ostream& errors) {
  if (generate) {
    const std::string key = access::new_key();
    out << "key       " << key << "\nkey_hash  " << access::hash_key(key) << '\n';
    errors << "Give the key to the client, put key_hash into the settings. The key is kept nowhere.\n";
    return kDone;
  }
  if (prompt) errors << "Key: " << std::flush;
  std::string key;
  std::getline(in, key);
  if (prompt) errors << '\n';
  if (key.ends_with('\r')) key.pop_back();
  if (key.size() < access::kShortestKey) {
    errors << "contacts-gateway: the key has " << key.size() << " characters; expected at least "
           << access::kShortestKey
           << " random ones on standard input (`contacts-gateway hash-key --generate` makes a key)\n";
    return kInvalid;
  }
  out << access::hash_key(key) << '\n';
  return kDone;
}

}  // namespace gateway::cli
