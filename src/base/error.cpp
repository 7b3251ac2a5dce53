#include "octet/error.h"

namespace octet {

int exit_status(Code code) noexcept {
  switch (code) {
    case Code::Usage:
    case Code::Recipe:
    case Code::Data:
    case Code::Model: return 2;
    case Code::Unsupported:
    case Code::Numeric:
    case Code::Io:
    case Code::Runtime: return 1;
  }
  return 1;
}

}  // namespace octet
