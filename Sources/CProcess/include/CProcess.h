// What the Swift overlay of glibc leaves out: prctl is variadic, and its constants are macros.

#ifndef HIGGINS_CPROCESS_H
#define HIGGINS_CPROCESS_H

#include <stdint.h>

// Keeps the memory of this process from other eyes; to be called before anything secret is read.
// No core file, no debugger of the same user (PR_SET_DUMPABLE), and no backtrace: the Swift
// runtime's crash handlers print registers and what they point at. A program started from here
// begins anew with all but the limit on cores.
void process_conceal(void);

// Whether another process of the same user may read this one's memory.
int process_is_dumpable(void);

// How many bytes may be locked into memory (RLIMIT_MEMLOCK).
uint64_t process_lockable_bytes(void);

#endif
