#pragma once

#include <string>
#include <utility>

#include "octet/error.h"

namespace octet {

/// The error that `action` throws; one that says so when it throws none.
template <class Action>
Error error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return {Code::Runtime, "(no error was thrown)"};
}

/// Its message.
template <class Action>
std::string message_of(Action&& action) {
  return error_of(std::forward<Action>(action)).what();
}

}  // namespace octet
