#include "support/paths.h"

namespace octet::test {

const char* const kProgram = OCTET_PROGRAM;
const char* const kSource = OCTET_SOURCE;

}  // namespace octet::test
