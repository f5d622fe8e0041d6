// Arms tests/support/failing_fsync.c, which says what a plan is, from within a test.
#pragma once

// Replaces the plan and the text that paths must have, and counts afresh. "" and "" end all faults. Not while
// another thread does one of the operations.
extern "C" void failing_fsync_arm(const char* plan, const char* path);
