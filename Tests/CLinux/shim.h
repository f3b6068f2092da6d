#include <stddef.h>
#include <sys/epoll.h>
#include <time.h>

// As sched.h has them for GNU programs, which Swift's own module of the C library is not.
int sched_getaffinity(int process, size_t size, void *set);
int sched_setaffinity(int process, size_t size, const void *set);

// Microseconds; -1 where there is no such process. In C because the Swift module that timespec is
// said to come from depends on what else a program imports.
static inline double linux_process_time(pid_t process) {
  clockid_t clock;
  struct timespec time;
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0) return -1;
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}
