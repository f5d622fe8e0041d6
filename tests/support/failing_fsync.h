// See failing_fsync.c.
#pragma once
#ifdef __cplusplus
extern "C"
#endif
    void
    failing_fsync_arm(const char* plan, const char* path);
