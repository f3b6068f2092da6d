// What the Terminal target needs of ncursesw, signals and termios, as plain functions.
//
// No curses header is included here: Swift takes neither its macros nor its variadic functions nor
// its globals. All functions of the first part belong to one thread; ncurses has one screen.

#ifndef HIGGINS_CNCURSES_H
#define HIGGINS_CNCURSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Attributes of a cell, to be added up.
enum {
  SCREEN_BOLD = 1,
  SCREEN_DIM = 2,
  SCREEN_UNDERLINE = 4,
  SCREEN_REVERSE = 8,
};

// A base character with up to four marks on it; 0 ends the list. `columns` is 1 or 2.
typedef struct {
  uint32_t scalars[5];
  int32_t pair;
  uint8_t attributes;
  uint8_t columns;
} screen_cell;

// Why screen_open failed.
enum {
  SCREEN_UNKNOWN_TERMINAL = -1,
  SCREEN_DUMB_TERMINAL = -2,
  SCREEN_FAILED = -3,
};

// Opens ncurses for the terminal type `term`. Its output goes to a memory file, never to a
// terminal.
int screen_open(const char *term, int rows, int columns);

// Ends ncurses. What it would write is thrown away.
void screen_close(void);

// A string, number or flag of the terminal's description, extended ones too; NULL, -1, false when
// it has none. The string still holds padding marks such as $<2>.
const char *screen_capability(const char *name);
int screen_number(const char *name);
bool screen_flag(const char *name);

// How many colours and pairs ncurses offers; 0 without colours.
int screen_colours(void);
int screen_pairs(void);

// Gives pair `pair` (from 1) its colours; -1 is the terminal's own. False when it cannot.
bool screen_set_pair(int pair, int foreground, int background);

// Writes cells from a place to the right. What does not fit is left out.
void screen_put(int row, int column, const screen_cell *cells, int count);

void screen_resize(int rows, int columns);

// The terminal shows something else now: the next screen_update paints everything.
void screen_forget(void);

// Like screen_forget, and the next screen_update also enters the alternate screen again.
void screen_leave(void);

// The bytes that bring the terminal up to date, valid until the next call, and their count.
// The cursor is hidden when `row` is negative.
size_t screen_update(int row, int column, const uint8_t **bytes);

// --- The terminal line, signals, and what happens on a crash. One of each in a process. ---

// Sets raw mode and remembers what was set; false with errno.
bool line_raw(int descriptor);

// Sets what was remembered.
void line_restore(int descriptor);

// The character that erases, as the person set it (VERASE).
uint8_t line_erase_character(int descriptor);

bool line_size(int descriptor, int *rows, int *columns);

// Catches SIGWINCH, SIGTSTP, SIGCONT, SIGTERM, SIGHUP and SIGINT. Each arrives as one byte, its
// number, at the descriptor returned; -1 with errno. A signal that is ignored stays ignored.
int signals_open(void);

// Puts back what signals did before. After the loss of the terminal, SIGHUP does nothing from now
// on instead of ending the program.
void signals_close(bool is_lost);

// Lets the calling thread receive them: threads of a pool, and threads made by those, receive none.
void signals_receive(void);

// An eventfd with which one thread wakes another; -1 with errno.
int wake_open(void);

// Stops the process group as Control-Z does and returns when it goes on; at once if nobody is there
// to let it go on.
void signals_stop(void);

// From now on a crash or exit writes `bytes` to `descriptor` and restores the line, once. Standard
// error is kept in memory if it is a terminal, so that it does not write over the screen.
void guard_open(int descriptor, const uint8_t *bytes, size_t count);

// Ends that, writes nothing to `descriptor`, and passes on what went to standard error.
void guard_close(void);

#endif
