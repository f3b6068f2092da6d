// What the Swift overlay of glibc leaves out: prctl is variadic, its constants are macros, a new
// session and closed files are GNU extensions of posix_spawn, and timerfd is Linux alone.

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

// A descriptor that can be read once its time has come, in time that goes on while the machine
// sleeps (CLOCK_BOOTTIME); -1 when there are no more descriptors.
int process_timer(void);

// The nanoseconds that clock has counted.
uint64_t process_timer_now(void);

// Sets the one time, which is not 0, of a timer; a time that is over comes at once. Returns 0 or a
// negated errno.
int process_timer_set(int timer, uint64_t nanoseconds);

#endif
