#include "CVirtualClock.h"

#include <sys/time.h>
#include <time.h>

static _Thread_local int64_t virtual_microseconds;

void hearth_virtual_clock_set(int64_t microseconds) { virtual_microseconds = microseconds; }

// The C library's parameter has another type on each system; only its size matters.
int gettimeofday(struct timeval *now, void *zone) {
    (void)zone;
    if (virtual_microseconds) {
        now->tv_sec = virtual_microseconds / 1000000;
        now->tv_usec = virtual_microseconds % 1000000;
        return 0;
    }
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    now->tv_sec = real.tv_sec;
    now->tv_usec = real.tv_nsec / 1000;
    return 0;
}
