#pragma once

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

}  // namespace octet
