#define _GNU_SOURCE
#include "CProcess.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

static int prepare_files(posix_spawn_file_actions_t *files, int input, int output) {
  int code = posix_spawn_file_actions_adddup2(files, input, STDIN_FILENO);
  if (code == 0)
    code = output >= 0 ? posix_spawn_file_actions_adddup2(files, output, STDOUT_FILENO)
                       : posix_spawn_file_actions_addopen(
                             files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  if (code == 0)
    code = posix_spawn_file_actions_addopen(files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  return code == 0 ? posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1) : code;
}

static int prepare_signals(posix_spawnattr_t *attributes) {
  sigset_t signals;
  sigfillset(&signals);
  int code = posix_spawnattr_setsigdefault(attributes, &signals);
  sigemptyset(&signals);
  if (code == 0) code = posix_spawnattr_setsigmask(attributes, &signals);
  const short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID;
  return code == 0 ? posix_spawnattr_setflags(attributes, flags) : code;
}

int process_spawn(
    const char *path, char *const arguments[], char *const environment[], int input, int output) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  pid_t child = -1;
  int code = posix_spawn_file_actions_init(&files);
  if (code != 0) return -code;
  code = posix_spawnattr_init(&attributes);
  if (code == 0) {
    code = prepare_files(&files, input, output);
    if (code == 0) code = prepare_signals(&attributes);
    if (code == 0) code = posix_spawn(&child, path, &files, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&files);
  return code == 0 ? (int)child : -code;
}
