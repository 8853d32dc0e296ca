#define _GNU_SOURCE
#include "addresses.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/types.h>
#include <unistd.h>

struct hearth_batch {
    uint32_t count;
    uint32_t size;
    uint8_t *slab;
    hearth_datagram *datagrams;
    struct mmsghdr *headers;
    struct iovec *vectors;
    struct sockaddr_in6 *names;
    control_buffer *controls;
};

// A header as a receive call expects it: the kernel writes lengths and flags of what it received there.
static void expect(hearth_batch *batch, uint32_t i) {
    batch->headers[i].msg_hdr.msg_namelen = sizeof batch->names[i];
    batch->headers[i].msg_hdr.msg_control = &batch->controls[i];
    batch->headers[i].msg_hdr.msg_controllen = sizeof batch->controls[i];
    batch->headers[i].msg_hdr.msg_flags = 0;
}

hearth_batch *hearth_batch_create(uint32_t count, uint32_t size) {
    return hearth_batch_create_roomy(count, size, 0, 0);
}

hearth_batch *hearth_batch_create_roomy(uint32_t count, uint32_t size, uint32_t before, uint32_t after) {
    hearth_batch *batch = calloc(1, sizeof *batch);
    if (!batch) return NULL;
    size_t stride = (size_t)before + size + after;
    batch->count = count;
    batch->size = size;
    batch->slab = malloc(count * stride);
    batch->datagrams = calloc(count, sizeof *batch->datagrams);
    batch->headers = calloc(count, sizeof *batch->headers);
    batch->vectors = calloc(count, sizeof *batch->vectors);
    batch->names = calloc(count, sizeof *batch->names);
    batch->controls = calloc(count, sizeof *batch->controls);
    if (!batch->slab || !batch->datagrams || !batch->headers || !batch->vectors || !batch->names || !batch->controls) {
        hearth_batch_destroy(batch);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        batch->datagrams[i].bytes = batch->slab + i * stride + before;
        batch->vectors[i].iov_base = batch->datagrams[i].bytes;
        batch->vectors[i].iov_len = size;
        batch->headers[i].msg_hdr.msg_iov = &batch->vectors[i];
        batch->headers[i].msg_hdr.msg_iovlen = 1;
        batch->headers[i].msg_hdr.msg_name = &batch->names[i];
        expect(batch, i);
    }
    return batch;
}

void hearth_batch_destroy(hearth_batch *batch) {
    if (!batch) return;
    free(batch->slab);
    free(batch->datagrams);
    free(batch->headers);
    free(batch->vectors);
    free(batch->names);
    free(batch->controls);
    free(batch);
}

hearth_datagram *hearth_batch_datagrams(hearth_batch *batch) { return batch->datagrams; }

static void read_controls(struct msghdr *header, hearth_datagram *datagram) {
    hearth_address *local = &datagram->local;
    local->family = 0;
    datagram->segment = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            local->family = 4;
            local->high = 0;
            local->low = ntohl(info.ipi_spec_dst.s_addr);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            local->family = 6;
            local->high = half(info.ipi6_addr.s6_addr);
            local->low = half(info.ipi6_addr.s6_addr + 8);
        } else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
            int segment;
            memcpy(&segment, CMSG_DATA(c), sizeof segment);
            datagram->segment = segment > 0 ? (uint32_t)segment : 0;
        }
    }
}

int hearth_batch_receive(hearth_batch *batch, int socket) {
    return hearth_batch_receive_some(batch, socket, 0, batch->count);
}

int hearth_batch_receive_some(hearth_batch *batch, int socket, uint32_t from, uint32_t to) {
    if (to > batch->count || from >= to) return 0;
    int received = recvmmsg(socket, batch->headers + from, to - from, MSG_DONTWAIT, NULL);
    if (received < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
    for (uint32_t i = from; i < from + (uint32_t)received; i++) {
        hearth_datagram *datagram = &batch->datagrams[i];
        datagram->length = batch->headers[i].msg_len;
        datagram->truncated = (batch->headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
        from_socket(&batch->names[i], &datagram->peer);
        read_controls(&batch->headers[i].msg_hdr, datagram);
        expect(batch, i);
    }
    return received;
}

int hearth_batch_send(hearth_batch *batch, int socket, uint32_t from, uint32_t to) {
    if (to > batch->count || from >= to) return 0;
    for (uint32_t i = from; i < to; i++) {
        hearth_datagram *datagram = &batch->datagrams[i];
        batch->vectors[i].iov_len = datagram->length;
        batch->headers[i].msg_hdr.msg_flags = 0;
        batch->headers[i].msg_hdr.msg_namelen = to_socket(&datagram->peer, &batch->names[i]);
        write_local(&batch->headers[i].msg_hdr, &batch->controls[i], &datagram->local);
    }
    int sent = sendmmsg(socket, batch->headers + from, to - from, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR ? 0 : -errno;
    return sent;
}

// A socket whose buffers have the size that is asked for, as far as the system allows.
static int create(int family, uint32_t buffer_size) {
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int on = 1, size = (int)buffer_size;
    // The FORCE forms pass the system's limit and need CAP_NET_ADMIN; without it the limit applies.
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size)) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
    if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    return fd;
}

// Binds a socket, or closes it. One that is bound to all addresses tells which of them was asked.
static int bind_or_close(int fd, const hearth_address *address) {
    int on = 1;
    if (address->high == 0 && address->low == 0) {
        if (address->family == 4) setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
        else setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    }
    struct sockaddr_in6 name;
    socklen_t length = to_socket(address, &name);
    if (bind(fd, (struct sockaddr *)&name, length)) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int hearth_udp_open(const hearth_address *address, uint32_t buffer_size) {
    int fd = create(address->family == 4 ? AF_INET : AF_INET6, buffer_size);
    if (fd < 0) return fd;
    // What routers and peers answer to our datagrams is kept for hearth_udp_unreachable.
    int on = 1;
    if (address->family == 4) setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    else setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    return bind_or_close(fd, address);
}

int hearth_media_open(const hearth_address *address, uint32_t buffer_size) {
    int fd = create(address->family == 4 ? AF_INET : AF_INET6, buffer_size);
    if (fd < 0) return fd;
    // A kernel without UDP_GRO (before 5.0) gives datagrams one by one. Routers may cut what is too long for them:
    // RFC 8656 section 14 lets a relay leave the DF bit unset.
    int on = 1, four = IP_PMTUDISC_DONT, six = IPV6_PMTUDISC_DONT;
    setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on);
    if (address->family == 4) setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &four, sizeof four);
    else setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &six, sizeof six);
    return bind_or_close(fd, address);
}

int hearth_socket_error(int socket) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) ? errno : error;
}

// Says that nothing listens there, or that no way leads there. Not the others: time exceeded passes when routes settle,
// and a datagram too long for the path goes in pieces the next time.
static int is_unreachable(const struct sock_extended_err *error) {
    if (error->ee_origin == SO_EE_ORIGIN_ICMP) {
        return error->ee_type == ICMP_DEST_UNREACH && error->ee_code <= ICMP_PORT_UNREACH;
    }
    // RFC 4443 section 3.1: type 1, whatever the code.
    return error->ee_origin == SO_EE_ORIGIN_ICMP6 && error->ee_type == 1;
}

int hearth_udp_unreachable(int socket, hearth_address *peer) {
    union {
        struct cmsghdr alignment;
        uint8_t bytes[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6)) + CONTROL_SIZE];
    } control;
    for (;;) {
        struct sockaddr_in6 name;
        uint8_t start[1];
        struct iovec vector = {.iov_base = start, .iov_len = sizeof start};
        struct msghdr header = {
            .msg_name = &name, .msg_namelen = sizeof name, .msg_iov = &vector, .msg_iovlen = 1,
            .msg_control = &control, .msg_controllen = sizeof control,
        };
        if (recvmsg(socket, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return 0;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
            int is_error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR)
                || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
            if (!is_error) continue;
            struct sock_extended_err error;
            memcpy(&error, CMSG_DATA(c), sizeof error);
            if (!is_unreachable(&error)) continue;
            from_socket(&name, peer);
            return 1;
        }
    }
}

int hearth_socket_address(int socket, hearth_address *address) {
    struct sockaddr_in6 name;
    socklen_t length = sizeof name;
    if (getsockname(socket, (struct sockaddr *)&name, &length)) return -errno;
    from_socket(&name, address);
    return 0;
}

int hearth_address_read(const void *name, hearth_address *address) {
    const struct sockaddr_in6 *any = name;
    if (any->sin6_family != AF_INET && any->sin6_family != AF_INET6) return -1;
    from_socket(any, address);
    return 0;
}

int hearth_poll_create(void) {
    int poll = epoll_create1(EPOLL_CLOEXEC);
    return poll < 0 ? -errno : poll;
}

int hearth_poll_watch(int poll, int descriptor, uint64_t number) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
    return epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) ? -errno : 0;
}

int hearth_poll_wait(int poll, uint64_t *numbers, int maximum, int milliseconds) {
    struct epoll_event events[128];
    if (maximum > 128) maximum = 128;
    int count = epoll_wait(poll, events, maximum, milliseconds);
    if (count < 0) return 0;
    for (int i = 0; i < count; i++) {
        numbers[i] = events[i].data.u64 | (events[i].events & EPOLLERR ? HEARTH_POLL_ERROR : 0);
    }
    return count;
}

int hearth_wake_create(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

void hearth_wake(int descriptor) {
    uint64_t one = 1;
    ssize_t ignored = write(descriptor, &one, sizeof one);
    (void)ignored;
}

void hearth_wake_clear(int descriptor) {
    uint64_t count;
    ssize_t ignored = read(descriptor, &count, sizeof count);
    (void)ignored;
}

void hearth_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
