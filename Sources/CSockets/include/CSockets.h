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
/// `segment` is 0, or how long each of several datagrams is that the kernel joined; the last may be shorter.
typedef struct {
    uint8_t *bytes;
    uint32_t length;
    uint32_t segment;
    uint8_t truncated;
    hearth_address peer;
    hearth_address local;
} hearth_datagram;

/// Buffers for up to `count` datagrams of up to `size` bytes, used again for every system call.
typedef struct hearth_batch hearth_batch;

hearth_batch *hearth_batch_create(uint32_t count, uint32_t size);

/// The same with free bytes before and after each buffer.
hearth_batch *hearth_batch_create_roomy(uint32_t count, uint32_t size, uint32_t before, uint32_t after);
void hearth_batch_destroy(hearth_batch *batch);
hearth_datagram *hearth_batch_datagrams(hearth_batch *batch);

/// Receives what is waiting, up to the batch's count: how many, 0 when nothing waits, or -errno.
int hearth_batch_receive(hearth_batch *batch, int socket);

/// The same into the buffers `from ..< to` alone.
int hearth_batch_receive_some(hearth_batch *batch, int socket, uint32_t from, uint32_t to);

/// Sends datagrams `from ..< to`: how many the kernel took, 0 when its buffer is full, or -errno: of the first of them,
/// or of an earlier one that came back (see hearth_udp_unreachable).
int hearth_batch_send(hearth_batch *batch, int socket, uint32_t from, uint32_t to);

/// A bound, non-blocking UDP socket, or -errno. An IPv6 socket takes IPv6 alone. A wildcard address reports `local`.
int hearth_udp_open(const hearth_address *address, uint32_t buffer_size);

/// The same for media: the kernel may join datagrams of one peer (UDP_GRO), and ICMP messages are no errors.
int hearth_media_open(const hearth_address *address, uint32_t buffer_size);

/// The error that waits at a socket, and clears it: errno, or 0.
int hearth_socket_error(int socket);

/// Takes one peer that an ICMP message called unreachable (port, host, network): 1 when there was one, else 0.
///
/// The kernel also makes the next send or receive fail with that error; asking here until 0 clears it.
int hearth_udp_unreachable(int socket, hearth_address *peer);

/// The address a socket is bound to. Returns 0 or -errno.
int hearth_socket_address(int socket, hearth_address *address);

/// Reads a system socket address; returns 0, or -1 for a family other than IPv4 and IPv6.
int hearth_address_read(const void *name, hearth_address *address);

/// One datagram on its way out: where it lies, and where it goes. `local` as above.
typedef struct {
    const uint8_t *bytes;
    uint32_t length;
    /// Index of the next one for the same socket, or HEARTH_LAST.
    uint32_t next;
    hearth_address peer;
    hearth_address local;
} hearth_packet;

static const uint32_t HEARTH_LAST = UINT32_MAX;

/// What became of a chain of packets.
typedef struct {
    uint32_t sent;
    /// Dropped because the socket's buffer was full.
    uint32_t full;
    /// Refused by the system: no route, a firewall, too long. `error` says why the last one was.
    uint32_t refused;
    int error;
    /// This machine cannot join packets: do not ask for it again.
    uint8_t cannot_join;
} hearth_sent;

/// Room for the system calls of one thread that sends.
typedef struct hearth_sender hearth_sender;

hearth_sender *hearth_sender_create(void);
void hearth_sender_destroy(hearth_sender *sender);

/// Sends the chain that begins at `packets[first]`. With `joins`, packets of one length that follow each other to one
/// peer leave as one buffer which the kernel or the network card cuts up (UDP_SEGMENT).
void hearth_sender_send(
    hearth_sender *sender, int socket, const hearth_packet *packets, uint32_t first, int joins, hearth_sent *result);

// The epoll of a loop: each descriptor is watched for input under a number of its owner's.

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
