/* SPDX-License-Identifier: 0BSD */
/*
** atomic.h: the only way in which the lock manager touches words that another
** thread or process may touch at the same time.
**
** The operands are plain u32 and u64 fields of the mapped segment, since the
** file format fixes their size and layout, and C11's _Atomic types do not.  The
** suffix of a name is the memory order.  A name without a suffix is relaxed.
*/
#ifndef INTERLOCK_ATOMIC_H
#define INTERLOCK_ATOMIC_H

#include "core/base.h"

#define atomicGet(p)      __atomic_load_n((p), __ATOMIC_RELAXED)
#define atomicGetAcq(p)   __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define atomicSet(p,v)    __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define atomicSetRel(p,v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define atomicSwap(p,v)   __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#define atomicAdd(p,v)    __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL)

/*
** The fences.  The thread sanitizer ignores fences, and gcc warns of each.
** That can only make the sanitizer report too much.  Here fences order atomic
** accesses, between which it sees no race.
*/
#if defined(__SANITIZE_THREAD__) && __GNUC__>=11
# pragma GCC diagnostic push
# pragma GCC diagnostic ignored "-Wtsan"
#endif
static inline void atomicFenceAcq(void){
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
}
static inline void atomicFenceRel(void){
  __atomic_thread_fence(__ATOMIC_RELEASE);
}
static inline void atomicFenceSeq(void){
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
#if defined(__SANITIZE_THREAD__) && __GNUC__>=11
# pragma GCC diagnostic pop
#endif

/*
** Compare-and-swap, with acquire and release when it succeeds.  Returns 1 if *p
** was iOld and is iNew now.
*/
static inline int atomicCas32(u32 *p, u32 iOld, u32 iNew){
  return __atomic_compare_exchange_n(p, &iOld, iNew, 0,
      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
static inline int atomicCas64(u64 *p, u64 iOld, u64 iNew){
  return __atomic_compare_exchange_n(p, &iOld, iNew, 0,
      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* A 32-bit word that may be part of something else. */
typedef u32 __attribute__((may_alias)) atomicAlias32;

/* Tells the processor that this is a spin loop. */
static inline void atomicPause(void){
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/* The low half of a 64-bit word, which a futex can compare. */
static inline u32 *atomicLowHalf(u64 *p){
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__==__ORDER_BIG_ENDIAN__
  return (u32*)(void*)p + 1;
#else
  return (u32*)(void*)p;
#endif
}

#endif
