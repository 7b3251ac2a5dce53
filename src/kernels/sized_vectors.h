#pragma once

// For files that include kernels/grid_steps-inl.h, before Highway's headers: its structures have
// vectors as members, which those of SVE and RVV, whose size is not known at compile time, cannot
// be. On such processors NEON's, or single elements, are used.
#define HWY_DISABLED_TARGETS (HWY_ALL_SVE | HWY_RVV)
