#include "CNcurses.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

// --- The line ---

static struct termios found;
static volatile sig_atomic_t found_valid;

bool line_raw(int descriptor) {
  if (!found_valid) {
    if (tcgetattr(descriptor, &found) != 0) return false;
    found_valid = 1;
  }
  struct termios raw = found;
  cfmakeraw(&raw);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  return tcsetattr(descriptor, TCSANOW, &raw) == 0;
}

void line_restore(int descriptor) {
  if (found_valid) {
    tcsetattr(descriptor, TCSANOW, &found);
  }
}

uint8_t line_erase_character(int descriptor) {
  struct termios now;
  if (found_valid) return found.c_cc[VERASE];
  return tcgetattr(descriptor, &now) == 0 ? now.c_cc[VERASE] : 0x7f;
}

bool line_size(int descriptor, int *rows, int *columns) {
  struct winsize size;
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return false;
  *rows = size.ws_row;
  *columns = size.ws_col;
  return true;
}

// --- Signals ---

static const int caught[] = {SIGWINCH, SIGTSTP, SIGCONT, SIGTERM, SIGHUP, SIGINT};
enum { CAUGHT = sizeof caught / sizeof *caught };
static struct sigaction signals_before[CAUGHT];
static int signal_pipe[2] = {-1, -1};

static void signal_arrived(int number) {
  int saved = errno;
  uint8_t byte = (uint8_t)number;
  // A full pipe holds enough of them.
  ssize_t ignored = write(signal_pipe[1], &byte, 1);
  (void)ignored;
  errno = saved;
}

int signals_open(void) {
  if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  for (int index = 0; index < CAUGHT; index++) {
    struct sigaction action = {.sa_handler = signal_arrived, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(caught[index], NULL, &signals_before[index]);
    if (signals_before[index].sa_handler != SIG_IGN) {
      sigaction(caught[index], &action, NULL);
    }
  }
  return signal_pipe[0];
}

void signals_receive(void) {
  sigset_t set;
  sigemptyset(&set);
  for (int index = 0; index < CAUGHT; index++) {
    sigaddset(&set, caught[index]);
  }
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void signal_passed(int number) { (void)number; }

void signals_close(bool is_lost) {
  for (int index = 0; index < CAUGHT; index++) {
    struct sigaction action = signals_before[index];
    // A lost terminal is seen before its SIGHUP comes, which must not end what is still being kept.
    if (is_lost && caught[index] == SIGHUP && action.sa_handler == SIG_DFL) {
      action.sa_handler = signal_passed;
    }
    sigaction(caught[index], &action, NULL);
  }
  close(signal_pipe[0]);
  close(signal_pipe[1]);
  signal_pipe[0] = signal_pipe[1] = -1;
}

int wake_open(void) {
  return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void signals_stop(void) {
  struct sigaction ignore = {.sa_handler = SIG_IGN}, stop = {.sa_handler = SIG_DFL}, before;
  sigemptyset(&ignore.sa_mask);
  sigemptyset(&stop.sa_mask);
  sigaction(SIGTSTP, &ignore, &before);
  kill(0, SIGTSTP);
  // Raised in this thread, so that the stop has taken hold when the call returns.
  sigaction(SIGTSTP, &stop, NULL);
  raise(SIGTSTP);
  sigaction(SIGTSTP, &before, NULL);
}

// --- The guard ---

static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE};
enum { FATAL = sizeof fatal / sizeof *fatal };
static struct sigaction fatal_before[FATAL];
static atomic_flag restored = ATOMIC_FLAG_INIT;
static volatile sig_atomic_t guard_on;
static int guard_descriptor = -1;
static uint8_t guard_bytes[1024];
static size_t guard_count;

static int kept_errors = -1;
static int real_errors = -1;
// What is passed on of standard error at the end: the last of it.
enum { ERROR_BYTES = 8192 };

// Only functions that are safe in a signal handler.
static void pass_on_errors(void) {
  if (kept_errors < 0) return;
  char buffer[ERROR_BYTES];
  off_t length = lseek(kept_errors, 0, SEEK_END);
  off_t from = length > ERROR_BYTES ? length - ERROR_BYTES : 0;
  ssize_t got = pread(kept_errors, buffer, ERROR_BYTES, from);
  if (got > 0) {
    ssize_t ignored = write(real_errors, buffer, (size_t)got);
    (void)ignored;
  }
}

static void restore_once(void) {
  if (!guard_on || atomic_flag_test_and_set(&restored)) return;
  ssize_t ignored = write(guard_descriptor, guard_bytes, guard_count);
  (void)ignored;
  line_restore(guard_descriptor);
  pass_on_errors();
}

// The action is reset to the default before this runs, so that raising again ends the process with
// the right status and at once, without the runtime's own report into the raw screen.
static void crashed(int number) {
  restore_once();
  raise(number);
}

static void keep_errors(void) {
  if (!isatty(STDERR_FILENO)) return;
  kept_errors = memfd_create("errors", MFD_CLOEXEC);
  real_errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (kept_errors < 0 || real_errors < 0 || dup2(kept_errors, STDERR_FILENO) < 0) {
    if (kept_errors >= 0) close(kept_errors);
    if (real_errors >= 0) close(real_errors);
    kept_errors = real_errors = -1;
  }
}

void guard_open(int descriptor, const uint8_t *bytes, size_t count) {
  static bool registered;
  guard_descriptor = descriptor;
  guard_count = count < sizeof guard_bytes ? count : sizeof guard_bytes;
  memcpy(guard_bytes, bytes, guard_count);
  atomic_flag_clear(&restored);
  keep_errors();
  for (int index = 0; index < FATAL; index++) {
    struct sigaction action = {
      .sa_handler = crashed, .sa_flags = SA_NODEFER | SA_RESETHAND | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(fatal[index], &action, &fatal_before[index]);
  }
  guard_on = 1;
  if (!registered) {
    atexit(restore_once);
    registered = true;
  }
}

void guard_close(void) {
  if (!guard_on) return;
  guard_on = 0;
  for (int index = 0; index < FATAL; index++) {
    sigaction(fatal[index], &fatal_before[index], NULL);
  }
  if (kept_errors >= 0) {
    dup2(real_errors, STDERR_FILENO);
    pass_on_errors();
    close(kept_errors);
    close(real_errors);
    kept_errors = real_errors = -1;
  }
  found_valid = 0;
}
