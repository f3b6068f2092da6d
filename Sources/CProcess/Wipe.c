// Memory that is given back is zeroed, so that text, keys and plaintext do not outlive the values
// that held them: Swift's strings and arrays, and what libraries copied of them, end in free().
//
// A program's own free and realloc come before glibc's for all its libraries. What gives memory
// stays glibc's, and these hand back to it, so both sides are one allocator still. A sanitizer
// brings its own, and then nothing is wiped; nor does glibc wipe what it frees inside itself.

#define _GNU_SOURCE
#include <malloc.h>
#include <stddef.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

#ifndef HAS_SANITIZER

extern void *__libc_malloc(size_t size);
extern void __libc_free(void *memory);

void free(void *memory) {
  if (memory == NULL) return;
  explicit_bzero(memory, malloc_usable_size(memory));
  __libc_free(memory);
}

// In place only where it fits: glibc's own would leave the old bytes behind when it moves them.
void *realloc(void *memory, size_t size) {
  if (memory == NULL) return __libc_malloc(size);
  if (size == 0) {
    free(memory);
    return NULL;
  }
  const size_t held = malloc_usable_size(memory);
  if (size <= held && size >= held / 2) return memory;
  void *moved = __libc_malloc(size);
  if (moved == NULL) return NULL;
  memcpy(moved, memory, size < held ? size : held);
  free(memory);
  return moved;
}

#endif
