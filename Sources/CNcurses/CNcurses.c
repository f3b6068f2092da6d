#include "CNcurses.h"
#include "Description.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wchar.h>

static SCREEN *screen;
static FILE *input;
static FILE *output;
static int memory = -1;
static uint8_t *update;
static size_t update_capacity;

// ncurses asks wcwidth, which answers -1 for all but ASCII in the C locale. The program speaks
// UTF-8 whatever the locale is called.
static void set_locale(void) {
  setlocale(LC_CTYPE, "");
  if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
    setlocale(LC_CTYPE, "C.UTF-8");
  }
}

static void discard_output(void) {
  fflush(output);
  if (ftruncate(memory, 0) == 0) {
    lseek(memory, 0, SEEK_SET);
  }
}

static void close_files(void) {
  if (output != NULL) {
    fclose(output);
  } else if (memory >= 0) {
    close(memory);
  }
  if (input != NULL) {
    fclose(input);
  }
  output = input = NULL;
  memory = -1;
}

int screen_open(const char *term, int rows, int columns) {
  set_locale();
  memory = memfd_create("screen", MFD_CLOEXEC);
  if (memory < 0) {
    return SCREEN_FAILED;
  }
  int checked = description_check(term, memory);
  output = fdopen(memory, "w");
  // Keys are read elsewhere; ncurses only has to be given something.
  input = fopen("/dev/null", "re");
  if (checked < 0 || output == NULL || input == NULL) {
    close_files();
    return checked < 0 ? checked : SCREEN_FAILED;
  }
  screen = newterm(term, output, input);
  if (screen == NULL) {
    close_files();
    return SCREEN_FAILED;
  }
  typeahead(-1);
  set_escdelay(25);
  nonl();
  if (has_colors()) {
    start_color();
    use_default_colors();
  }
  leaveok(stdscr, FALSE);
  scrollok(stdscr, FALSE);
  screen_resize(rows, columns);
  return 0;
}

void screen_close(void) {
  if (screen == NULL) {
    return;
  }
  endwin();
  delscreen(screen);
  screen = NULL;
  close_files();
  if (update != NULL) {
    explicit_bzero(update, update_capacity);
  }
  free(update);
  update = NULL;
  update_capacity = 0;
}

int screen_colours(void) {
  return has_colors() ? COLORS : 0;
}

int screen_pairs(void) {
  return has_colors() ? COLOR_PAIRS : 0;
}

bool screen_set_pair(int pair, int foreground, int background) {
  return init_extended_pair(pair, foreground, background) == OK;
}

static attr_t curses_attributes(uint8_t attributes) {
  attr_t all = A_NORMAL;
  if (attributes & SCREEN_BOLD) all |= A_BOLD;
  if (attributes & SCREEN_DIM) all |= A_DIM;
  if (attributes & SCREEN_UNDERLINE) all |= A_UNDERLINE;
  if (attributes & SCREEN_REVERSE) all |= A_REVERSE;
  return all;
}

// One cell for ncurses. A character whose width this machine's C library sees differently would
// shift the rest of the row; it becomes `?`, and `*columns` says what is left to fill.
static void convert(const screen_cell *cell, cchar_t *converted, int *missing) {
  wchar_t text[CCHARW_MAX + 1] = {0};
  *missing = 0;
  for (int index = 0; index < CCHARW_MAX && cell->scalars[index] != 0; index++) {
    if (index > 0 && wcwidth((wchar_t)cell->scalars[index]) != 0) break;
    text[index] = (wchar_t)cell->scalars[index];
  }
  if (wcwidth(text[0]) != cell->columns) {
    text[0] = L'?';
    text[1] = L'\0';
    *missing = cell->columns - 1;
  }
  int pair = cell->pair;
  setcchar(converted, text, curses_attributes(cell->attributes), 0, &pair);
}

void screen_put(int row, int column, const screen_cell *cells, int count) {
  if (row < 0 || row >= getmaxy(stdscr)) return;
  int width = getmaxx(stdscr);
  for (int index = 0; index < count; index++) {
    int missing;
    cchar_t converted;
    if (column < 0 || column + cells[index].columns > width) return;
    convert(&cells[index], &converted, &missing);
    mvadd_wchnstr(row, column, &converted, 1);
    if (missing > 0) {
      screen_cell space = cells[index];
      memset(space.scalars, 0, sizeof space.scalars);
      space.scalars[0] = ' ';
      space.columns = 1;
      convert(&space, &converted, &missing);
      mvadd_wchnstr(row, column + 1, &converted, 1);
    }
    column += cells[index].columns;
  }
}

void screen_resize(int rows, int columns) {
  if (rows > 0 && columns > 0) {
    resize_term(rows, columns);
  }
}

void screen_forget(void) {
  clearok(curscr, TRUE);
}

void screen_leave(void) {
  endwin();
  discard_output();
  screen_forget();
}

static size_t collect(const uint8_t **bytes) {
  fflush(output);
  off_t length = lseek(memory, 0, SEEK_END);
  if (length <= 0) return 0;
  size_t size = (size_t)length;
  if (size > update_capacity) {
    uint8_t *larger = malloc(size);
    if (larger == NULL) {
      discard_output();
      return 0;
    }
    if (update != NULL) explicit_bzero(update, update_capacity);
    free(update);
    update = larger;
    update_capacity = size;
  }
  ssize_t got = pread(memory, update, size, 0);
  discard_output();
  *bytes = update;
  return got > 0 ? (size_t)got : 0;
}

size_t screen_update(int row, int column, const uint8_t **bytes) {
  *bytes = NULL;
  if (row >= 0 && row < getmaxy(stdscr) && column >= 0 && column < getmaxx(stdscr)) {
    curs_set(1);
    move(row, column);
  } else {
    curs_set(0);
    move(0, 0);
  }
  refresh();
  return collect(bytes);
}
