// Inside the shim: the terminal's description.

#ifndef HIGGINS_DESCRIPTION_H
#define HIGGINS_DESCRIPTION_H

#include "CNcurses.h"

// 0 when `term` can show a screen, else why not. `descriptor` is asked nothing that matters.
int description_check(const char *term, int descriptor);

#endif
