# Precompiled headers: those of the standard library, Asio, RapidJSON and doctest, which nearly every file needs and which were
# half of a build's time. Ours are not among them, so that a change recompiles what it always did.
#
#   precompile(TARGET <header>...)
#   precompile(TARGET REUSE_FROM OTHER)      OTHER's, where both are compiled with the same flags

set(precompiled_standard
    <algorithm> <atomic> <chrono> <deque> <functional> <map> <memory> <mutex> <optional> <set> <sstream> <string> <string_view>
    <thread> <unordered_map> <utility> <variant> <vector> <rapidjson/document.h> <rapidjson/stringbuffer.h> <rapidjson/writer.h>)
set(precompiled_asio
    <asio/any_io_executor.hpp> <asio/awaitable.hpp> <asio/co_spawn.hpp> <asio/io_context.hpp> <asio/ip/tcp.hpp> <asio/post.hpp>
    <asio/redirect_error.hpp> <asio/steady_timer.hpp> <asio/this_coro.hpp> <asio/use_awaitable.hpp>)

# The precompiled file alone: CMake's own words for clang name the list of headers once more, by a path that ccache does not
# make relative, so that no other tree would find what this one compiled.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -Xclang -include-pch -Xclang <PCH_FILE>)
endif()

# What stands for the precompiled file's contents in ccache's eyes (CCACHE_PCH_EXTSUM): that of the headers, which is the same
# in every tree, where the file itself is not.
function(precompiled_sum variable)
  set(text "")
  foreach(header ${ARGN})
    string(APPEND text "#include ${header}\n")
  endforeach()
  file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cc "${text}")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -E -P ${CMAKE_BINARY_DIR}/precompiled.cc
                  OUTPUT_VARIABLE all ERROR_VARIABLE errors RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "the headers to precompile cannot be read:\n${errors}")
  endif()
  string(SHA256 sum "${all}")
  set(${variable} ${sum} PARENT_SCOPE)
endfunction()

if(GATEWAY_PRECOMPILE AND CCACHE)
  set(tests "")
  if(GATEWAY_TESTS)
    set(tests <doctest/doctest.h>)
  endif()
  precompiled_sum(precompiled_sum ${precompiled_standard} ${precompiled_asio} ${tests})
endif()

function(precompile target)
  if(NOT GATEWAY_PRECOMPILE)
    return()
  endif()
  if(ARGV1 STREQUAL REUSE_FROM)
    target_precompile_headers(${target} REUSE_FROM ${ARGV2})
    return()
  endif()
  target_precompile_headers(${target} PRIVATE ${ARGN})
  # Times of system headers are those of their package, but the list's own is that of the last configuration.
  target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  if(CCACHE)
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.pch.sum "${precompiled_sum}")
  endif()
endfunction()
