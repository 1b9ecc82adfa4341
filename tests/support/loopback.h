// 127.0.0.1 for plain sockets, as tests and their servers use them. Any thread.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>
#include <string>

namespace test_support {

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// `address`: "127.0.0.1:8080", as programs tell it.
inline sockaddr_in loopback(const std::string& address) {
  return loopback(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
}

}  // namespace test_support
