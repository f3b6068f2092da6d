// What the Swift overlay of glibc leaves out: prctl is variadic, its constants are macros, and a
// new session and closed files are GNU extensions of posix_spawn.

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

// Starts the program at `path` in a session of its own, with signals as a new program expects
// them, `input` and `output` (negative: nowhere) as its streams and no other open file. `arguments`
// begin with its name; both lists end with NULL. Returns its number, or a negated errno.
int process_spawn(
    const char *path, char *const arguments[], char *const environment[], int input, int output);

#endif
