/* What C does with the same bytes, in a loop that never goes back to JavaScript: the C library's calls, and plain loops of streaming stores.
   A Node-API addon of the benchmark only; on purpose none of our own code. Each function takes (n, target, other) and does it n times. */
#include <stdint.h>
#include <string.h>

#include "_napi.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define STREAMS 1
#endif

extern int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
extern int napi_get_value_double(napi_env, napi_value, double *);
extern int napi_get_typedarray_info(napi_env, napi_value, int *, size_t *, void **, napi_value *, size_t *);
extern int napi_create_double(napi_env, double, napi_value *);
extern int napi_set_named_property(napi_env, napi_value, const char *, napi_value);
extern int napi_throw_error(napi_env, const char *, const char *);

/* === The loops. Each returns the sum of what its calls return. === */

typedef struct {
  size_t size;
  uint8_t *target;
  const uint8_t *other;
  int byte;
} range;

typedef int64_t (*loop)(int64_t n, range all);

/* Read anew for each call, so that the compiler neither writes the call out nor moves it from the loop. */
static void *(*volatile library_copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile library_move)(void *, const void *, size_t) = memmove;
static void *(*volatile library_set)(void *, int, size_t) = memset;
static int (*volatile library_compare)(const void *, const void *, size_t) = memcmp;

static int64_t copies(int64_t n, range all) {
  for (int64_t i = 0; i < n; i += 1) library_copy(all.target, all.other, all.size);
  return n;
}

static int64_t moves(int64_t n, range all) {
  for (int64_t i = 0; i < n; i += 1) library_move(all.target, all.other, all.size);
  return n;
}

static int64_t fills(int64_t n, range all) {
  for (int64_t i = 0; i < n; i += 1) library_set(all.target, all.byte, all.size);
  return n;
}

static int64_t compares(int64_t n, range all) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; i += 1) {
    int order = library_compare(all.target, all.other, all.size);
    sum += (order > 0) - (order < 0);
  }
  return sum;
}

#ifdef STREAMS
/* Targets lie at a page's start. What is no multiple of a step is left to the C library. */
__attribute__((target("avx"))) static void stream_copy_avx(range all) {
  size_t at = 0;
  for (; at + 128 <= all.size; at += 128) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(all.other + at));
    __m256i b = _mm256_loadu_si256((const __m256i *)(all.other + at + 32));
    __m256i c = _mm256_loadu_si256((const __m256i *)(all.other + at + 64));
    __m256i d = _mm256_loadu_si256((const __m256i *)(all.other + at + 96));
    _mm256_stream_si256((__m256i *)(all.target + at), a);
    _mm256_stream_si256((__m256i *)(all.target + at + 32), b);
    _mm256_stream_si256((__m256i *)(all.target + at + 64), c);
    _mm256_stream_si256((__m256i *)(all.target + at + 96), d);
  }
  memcpy(all.target + at, all.other + at, all.size - at);
}

static void stream_copy_sse2(range all) {
  size_t at = 0;
  for (; at + 64 <= all.size; at += 64) {
    __m128i a = _mm_loadu_si128((const __m128i *)(all.other + at));
    __m128i b = _mm_loadu_si128((const __m128i *)(all.other + at + 16));
    __m128i c = _mm_loadu_si128((const __m128i *)(all.other + at + 32));
    __m128i d = _mm_loadu_si128((const __m128i *)(all.other + at + 48));
    _mm_stream_si128((__m128i *)(all.target + at), a);
    _mm_stream_si128((__m128i *)(all.target + at + 16), b);
    _mm_stream_si128((__m128i *)(all.target + at + 32), c);
    _mm_stream_si128((__m128i *)(all.target + at + 48), d);
  }
  memcpy(all.target + at, all.other + at, all.size - at);
}

__attribute__((target("avx"))) static void stream_fill_avx(range all) {
  __m256i value = _mm256_set1_epi8((char)all.byte);
  size_t at = 0;
  for (; at + 64 <= all.size; at += 64) {
    _mm256_stream_si256((__m256i *)(all.target + at), value);
    _mm256_stream_si256((__m256i *)(all.target + at + 32), value);
  }
  memset(all.target + at, all.byte, all.size - at);
}

static void stream_fill_sse2(range all) {
  __m128i value = _mm_set1_epi8((char)all.byte);
  size_t at = 0;
  for (; at + 32 <= all.size; at += 32) {
    _mm_stream_si128((__m128i *)(all.target + at), value);
    _mm_stream_si128((__m128i *)(all.target + at + 16), value);
  }
  memset(all.target + at, all.byte, all.size - at);
}

static int64_t stream_copies(int64_t n, range all) {
  void (*copy)(range) = __builtin_cpu_supports("avx") ? stream_copy_avx : stream_copy_sse2;
  for (int64_t i = 0; i < n; i += 1) {
    copy(all);
    _mm_sfence();
  }
  return n;
}

/* One byte of each page of both, in no cache afterwards: what a copy costs the processor's memory of addresses, and nothing else. */
static int64_t touch_pages(int64_t n, range all) {
  volatile const unsigned char *pages[] = {(unsigned char *)all.other, (unsigned char *)all.target};
  int64_t sum = 0;
  for (int64_t i = 0; i < n; i += 1) {
    for (size_t at = 0; at < 2 * all.size; at += 4096) {
      volatile const unsigned char *page = pages[at / 4096 % 2] + at / 8192 * 4096;
      sum += *page;
      _mm_clflush((const void *)page);
    }
    _mm_mfence();
  }
  return sum;
}

static int64_t stream_fills(int64_t n, range all) {
  void (*fill)(range) = __builtin_cpu_supports("avx") ? stream_fill_avx : stream_fill_sse2;
  for (int64_t i = 0; i < n; i += 1) {
    fill(all);
    _mm_sfence();
  }
  return n;
}
#endif

/* === For JavaScript === */

/* (n, target, other | byte): both arrays have the same length, and streaming wants the target at a multiple of 32. */
static napi_value run(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3];
  void *chosen = NULL;
  double n = 0;
  double byte = 0;
  size_t other_size = 0;
  void *target = NULL;
  void *other = NULL;
  range all = {0};
  napi_value result = NULL;
  int failed = napi_get_cb_info(env, info, &count, arguments, NULL, &chosen) || count != 3 || napi_get_value_double(env, arguments[0], &n) ||
               napi_get_typedarray_info(env, arguments[1], NULL, &all.size, &target, NULL, NULL);
  if (!failed && napi_get_value_double(env, arguments[2], &byte) != 0) {
    failed = napi_get_typedarray_info(env, arguments[2], NULL, &other_size, &other, NULL, NULL) || other_size != all.size;
  }
  if (failed || (uintptr_t)target % 32 != 0) {
    napi_throw_error(env, NULL, "the loops in C take (n, target, other or byte), of one length, the target aligned to 32");
    return NULL;
  }
  all.target = target;
  all.other = other;
  all.byte = (int)byte;
  napi_create_double(env, (double)((loop)chosen)((int64_t)n, all), &result);
  return result;
}

static void add(napi_env env, napi_value exports, const char *name, loop function) {
  napi_value made = NULL;
  napi_create_function(env, name, strlen(name), run, (void *)function, &made);
  napi_set_named_property(env, exports, name, made);
}

EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  add(env, exports, "memcpy", copies);
  add(env, exports, "memmove", moves);
  add(env, exports, "memset", fills);
  add(env, exports, "memcmp", compares);
#ifdef STREAMS
  add(env, exports, "streamCopy", stream_copies);
  add(env, exports, "streamFill", stream_fills);
  add(env, exports, "touchPages", touch_pages);
#endif
  return exports;
}
