#pragma once

#include <string>

#include "octet/progress.h"

namespace octet::cli {

/// From now on the first SIGINT (Ctrl-C) or SIGTERM does not end the program at once: the sink that
/// is returned throws octet::Error with `message` at the next progress, so that training leaves a
/// checkpoint. The second one ends it.
ProgressSink ending_when_asked(ProgressSink sink, std::string message);

/// The signal that asked; 0: none did.
int asked_to_end_by();

}  // namespace octet::cli
