#define _GNU_SOURCE
#include "addresses.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>

// System calls take so many messages, and messages so many packets: the kernel's own bound (UDP_MAX_SEGMENTS).
#define MESSAGES 64
#define SEGMENTS 64
// Packets of one call. A message beyond takes what room is left.
#define VECTORS 512
// What one buffer may hold: the largest UDP datagram over IPv4.
#define BUFFER_SIZE 65507

struct hearth_sender {
    struct mmsghdr headers[MESSAGES];
    struct iovec vectors[VECTORS];
    struct sockaddr_in6 names[MESSAGES];
    control_buffer controls[MESSAGES];
};

hearth_sender *hearth_sender_create(void) { return calloc(1, sizeof(hearth_sender)); }

void hearth_sender_destroy(hearth_sender *sender) { free(sender); }

static int is_same(const hearth_address *a, const hearth_address *b) {
    return a->low == b->low && a->port == b->port && a->high == b->high && a->family == b->family;
}

static void write_segment(struct msghdr *header, control_buffer *control, uint16_t segment) {
    size_t used = header->msg_controllen;
    if (!used) memset(control, 0, sizeof *control);
    header->msg_control = control;
    header->msg_controllen = used + CMSG_SPACE(sizeof segment);
    struct cmsghdr *c = (struct cmsghdr *)(control->bytes + used);
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof segment);
    memcpy(CMSG_DATA(c), &segment, sizeof segment);
}

// One message of the chain from `*next` on: a packet, or several that may be joined. Returns how many vectors it takes.
static uint32_t compose(
    hearth_sender *sender, uint32_t message, uint32_t vector, const hearth_packet *packets, uint32_t *next, int joins
) {
    const hearth_packet *first = &packets[*next];
    uint32_t count = 0, total = 0, length = first->length;
    do {
        const hearth_packet *packet = &packets[*next];
        sender->vectors[vector + count] = (struct iovec){.iov_base = (void *)packet->bytes, .iov_len = packet->length};
        count += 1;
        total += packet->length;
        *next = packet->next;
        // A shorter one ends the buffer; it may be the last.
        if (packet->length != length) break;
    } while (joins && *next != HEARTH_LAST && count < SEGMENTS && vector + count < VECTORS && length > 0
        && packets[*next].length <= length && packets[*next].length > 0
        && total + packets[*next].length <= BUFFER_SIZE
        && is_same(&packets[*next].peer, &first->peer) && is_same(&packets[*next].local, &first->local));
    struct msghdr *header = &sender->headers[message].msg_hdr;
    header->msg_name = &sender->names[message];
    header->msg_namelen = to_socket(&first->peer, &sender->names[message]);
    header->msg_iov = &sender->vectors[vector];
    header->msg_iovlen = count;
    header->msg_flags = 0;
    write_local(header, &sender->controls[message], &first->local);
    if (count > 1) write_segment(header, &sender->controls[message], (uint16_t)length);
    return count;
}

static int is_full(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS; }

static void refuse(hearth_sent *result, int error) {
    if (is_full(error)) {
        result->full += 1;
        return;
    }
    result->refused += 1;
    result->error = error;
}

// A buffer of several packets was refused: each for itself may be let through, for one because the network's largest
// packet is smaller, which only single ones may be cut up for.
static void send_apart(int socket, struct msghdr *joined, hearth_sent *result) {
    struct msghdr header = *joined;
    // UDP_SEGMENT is the last of the control messages.
    header.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
    if (!header.msg_controllen) header.msg_control = NULL;
    header.msg_iovlen = 1;
    for (size_t i = 0; i < joined->msg_iovlen; i++) {
        header.msg_iov = &joined->msg_iov[i];
        ssize_t sent;
        do sent = sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent < 0) refuse(result, errno);
        else result->sent += 1;
    }
}

static void send_all(hearth_sender *sender, int socket, uint32_t count, hearth_sent *result) {
    uint32_t done = 0;
    while (done < count) {
        int sent = sendmmsg(socket, sender->headers + done, count - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        for (int i = 0; i < sent; i++) result->sent += (uint32_t)sender->headers[done + i].msg_hdr.msg_iovlen;
        if (sent > 0) {
            done += (uint32_t)sent;
            continue;
        }
        if (is_full(errno)) {
            for (; done < count; done++) result->full += (uint32_t)sender->headers[done].msg_hdr.msg_iovlen;
            return;
        }
        // The error is the first one's. EIO: no checksums of that kind on the way out.
        struct msghdr *first = &sender->headers[done].msg_hdr;
        if (first->msg_iovlen > 1 && errno == EIO) result->cannot_join = 1;
        if (first->msg_iovlen > 1) send_apart(socket, first, result);
        else refuse(result, errno);
        done += 1;
    }
}

void hearth_sender_send(
    hearth_sender *sender, int socket, const hearth_packet *packets, uint32_t first, int joins, hearth_sent *result
) {
    *result = (hearth_sent){0};
    uint32_t next = first;
    while (next != HEARTH_LAST) {
        uint32_t messages = 0, vectors = 0;
        while (next != HEARTH_LAST && messages < MESSAGES && vectors < VECTORS) {
            vectors += compose(sender, messages, vectors, packets, &next, joins);
            messages += 1;
        }
        send_all(sender, socket, messages, result);
    }
}
