#include "CProcess.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>

int process_timer(void) { return timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC); }

uint64_t process_timer_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int process_timer_set(int timer, uint64_t nanoseconds) {
  const struct itimerspec once = {
      .it_value = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)}};
  return timerfd_settime(timer, TFD_TIMER_ABSTIME, &once, NULL) == 0 ? 0 : -errno;
}
