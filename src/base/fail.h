#pragma once

#include <format>

#include "octet/error.h"

namespace octet {

/// Throws an `Error` whose message is formatted from the arguments (std::format).
template <class... Args>
[[noreturn]] void fail(Code code, std::format_string<Args...> format, Args&&... args) {
  throw Error(code, std::format(format, std::forward<Args>(args)...));
}

}  // namespace octet
