// OpenSSL asks gettimeofday when a flight of DTLS is to be sent again. In test programs this stands in front of the
// system's: a thread that set a time lives in it, all others in the real one.

#ifndef HEARTH_CVIRTUALCLOCK_H
#define HEARTH_CVIRTUALCLOCK_H

#include <stdint.h>

/// The calling thread's time of day in microseconds since 1970 from now on; 0: the real one again.
void hearth_virtual_clock_set(int64_t microseconds);

#endif
