#pragma once

namespace octet::test {

// Of this build. One file knows them, so that the others compile alike in every clone.
extern const char* const kProgram;  ///< the program octet
extern const char* const kSource;   ///< the checkout

}  // namespace octet::test
