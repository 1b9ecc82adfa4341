// Certificates for a test, made on the spot: an authority and what it signs, as PEM files in a folder of the test's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/support/temp_dir.h"

struct evp_pkey_st;
struct x509_st;

namespace test_support {

struct PemPair {
  std::string certificate, key;  // paths
};

class Authority {
 public:
  explicit Authority(std::string name);

  std::string path() const { return pair_.certificate; }  // its own certificate
  // For `localhost` and 127.0.0.1. `days`: how long from now it is valid; a negative number: it ended so long ago.
  PemPair issue(std::string_view name, int days = 2);

 private:
  struct FreeKey {
    void operator()(evp_pkey_st* key) const;
  };
  struct FreeCertificate {
    void operator()(x509_st* certificate) const;
  };
  using Key = std::unique_ptr<evp_pkey_st, FreeKey>;
  using Certificate = std::unique_ptr<x509_st, FreeCertificate>;

  Certificate make(std::string_view name, evp_pkey_st* key, int days);
  PemPair write(std::string_view name, x509_st* certificate, evp_pkey_st* key) const;

  std::string name_;
  TempDir folder_;
  Key key_;
  Certificate certificate_;
  PemPair pair_;
  long serial_ = 1;
};

}  // namespace test_support
