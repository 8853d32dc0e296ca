// Batched datagrams for Linux: what Swift cannot say itself, because mmsghdr and the control message macros do not reach
// it through the Glibc module. Nothing here decides anything; limits and meaning live in Sources/SocketIO.

#ifndef HEARTH_CSOCKETS_H
#define HEARTH_CSOCKETS_H

#include <stdint.h>

/// An IPv4 (family 4: `low` holds the 32 bits) or IPv6 (family 6) address in host byte order, and a port.
typedef struct {
    uint64_t high;
    uint64_t low;
    uint16_t port;
    uint8_t family;
} hearth_address;

/// One datagram of a batch. `local` is the address the peer asked; family 0 when the socket is bound to one address.
typedef struct {
    uint8_t *bytes;
    uint32_t length;
    uint8_t truncated;
    hearth_address peer;
    hearth_address local;
} hearth_datagram;

/// Buffers for up to `count` datagrams of up to `size` bytes, used again for every system call.
typedef struct hearth_batch hearth_batch;

hearth_batch *hearth_batch_create(uint32_t count, uint32_t size);
void hearth_batch_destroy(hearth_batch *batch);
hearth_datagram *hearth_batch_datagrams(hearth_batch *batch);

/// Receives what is waiting, up to the batch's count: how many, 0 when nothing waits, or -errno.
int hearth_batch_receive(hearth_batch *batch, int socket);

/// Sends datagrams `from ..< to`: how many the kernel took, 0 when its buffer is full, or -errno: of the first of them,
/// or of an earlier one that came back (see hearth_udp_unreachable).
int hearth_batch_send(hearth_batch *batch, int socket, uint32_t from, uint32_t to);

/// A bound, non-blocking UDP socket, or -errno. An IPv6 socket takes IPv6 alone. A wildcard address reports `local`.
int hearth_udp_open(const hearth_address *address, uint32_t buffer_size);

/// Takes one peer that an ICMP message called unreachable (port, host, network): 1 when there was one, else 0.
///
/// The kernel also makes the next send or receive fail with that error; asking here until 0 clears it.
int hearth_udp_unreachable(int socket, hearth_address *peer);

/// The address a socket is bound to. Returns 0 or -errno.
int hearth_socket_address(int socket, hearth_address *address);

/// Reads a system socket address; returns 0, or -1 for a family other than IPv4 and IPv6.
int hearth_address_read(const void *name, hearth_address *address);

// The control loop's epoll: each descriptor is watched for input under a number of its owner's.

int hearth_poll_create(void);
int hearth_poll_watch(int poll, int descriptor, uint64_t number);

/// Set in a number that was watched: the descriptor has an error waiting.
static const uint64_t HEARTH_POLL_ERROR = 1ull << 63;

/// Waits for at most `milliseconds` (-1: for ever): how many numbers were written, 0 after a time-out or a signal.
int hearth_poll_wait(int poll, uint64_t *numbers, int maximum, int milliseconds);

/// A descriptor that other threads make readable by `hearth_wake`.
int hearth_wake_create(void);
void hearth_wake(int descriptor);
void hearth_wake_clear(int descriptor);

/// Names the calling thread, for `top -H` and debuggers; at most 15 bytes.
void hearth_name_thread(const char *name);

#endif
