#pragma once

namespace octet {

/// While one lives, large buffers of LibTorch's tensors are kept when they are freed, and given out
/// again. A buffer fresh from the system costs a page fault for every 4 KB, which takes longer than
/// most operators need to fill it. When the last one ends, what was kept goes back to the system.
/// For runs without other threads that use LibTorch at its beginning and end.
class ReusedBuffers {
 public:
  ReusedBuffers();
  ~ReusedBuffers();
  ReusedBuffers(const ReusedBuffers&) = delete;
  ReusedBuffers& operator=(const ReusedBuffers&) = delete;
};

}  // namespace octet
