// Apart from the rest because term.h makes macros of words such as `columns` and `lines`.

#include "Description.h"

#include <curses.h>
#include <term.h>

int description_check(const char *term, int descriptor) {
  int status = 0;
  use_extended_names(TRUE);
  if (setupterm(term, descriptor, &status) == ERR) {
    // 1 is a hard copy terminal, 0 unknown or too general, -1 no data base.
    return status == 1 ? SCREEN_DUMB_TERMINAL : SCREEN_UNKNOWN_TERMINAL;
  }
  const char *move = tigetstr("cup");
  int result = move == NULL || move == (char *)-1 ? SCREEN_DUMB_TERMINAL : 0;
  del_curterm(cur_term);
  return result;
}

const char *screen_capability(const char *name) {
  const char *text = tigetstr(name);
  return text == (char *)-1 ? NULL : text;
}

int screen_number(const char *name) {
  return tigetnum(name);
}

bool screen_flag(const char *name) {
  return tigetflag(name) > 0;
}
